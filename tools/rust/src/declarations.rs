//! Proves that `sys` says what the header says: everything that it declares is written as C, and a
//! C compiler compares it with `vicinal.h`.
//!
//! The compiler is `CC` (default cc); the header's folder is VICINAL_INCLUDE_DIR, or what pkg-config
//! knows of `vicinal-c`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::sys;

/// `rust` in C; of an array its element, as a pointer to it.
fn c_type(rust: &str) -> String {
    if let Some(pointed) = rust.strip_prefix("*mut ") {
        return format!("{}*", c_type(pointed));
    }
    if let Some(pointed) = rust.strip_prefix("*const ") {
        return format!("{} const*", c_type(pointed));
    }
    if let Some(array) = rust.strip_prefix('[') {
        return format!("{}*", c_type(array.split(';').next().unwrap()));
    }
    match rust {
        "" | "c_void" => "void",
        "u32" => "uint32_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        "f32" => "float",
        "f64" => "double",
        "c_char" => "char",
        other => other,
    }
    .to_owned()
}

fn parameters(rust: &[&str]) -> String {
    if rust.is_empty() {
        return "void".to_owned();
    }
    rust.iter().map(|parameter| c_type(parameter)).collect::<Vec<_>>().join(", ")
}

fn program() -> String {
    let mut c = String::from("#include <stddef.h>\n#include <vicinal.h>\n");
    for (name, value) in sys::constants() {
        writeln!(c, "_Static_assert({name} == {value}, \"{name}\");").unwrap();
    }
    for (name, size, fields) in sys::structs() {
        writeln!(c, "_Static_assert(sizeof({name}) == {size}, \"{name}\");").unwrap();
        for (field, rust, offset) in fields {
            let kind = c_type(rust);
            writeln!(
                c,
                "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");\n\
                 _Static_assert(_Generic((({name}*)0)->{field}, {kind}: 1, default: 0), \
                 \"{name}.{field} is no {kind}\");"
            )
            .unwrap();
        }
    }
    for (name, result, arguments) in sys::callbacks() {
        writeln!(c, "typedef {} (*{name})({});", c_type(result), parameters(&arguments)).unwrap();
    }
    for (name, result, arguments) in sys::functions() {
        writeln!(c, "{} {name}({});", c_type(result), parameters(&arguments)).unwrap();
    }
    c
}

/// Whether a C compiler takes `program`, and what it says.
fn compiles(program: &str) -> (bool, String) {
    let include = std::env::var("VICINAL_INCLUDE_DIR").map(|folder| vec![format!("-I{folder}")]);
    let flags = include.unwrap_or_else(|_| {
        let answer = Command::new("pkg-config").args(["--cflags", "vicinal-c"]).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
    });
    let mut compiler = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()))
        .args(["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"])
        .args(flags)
        .args(["-x", "c", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    compiler.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    let answer = compiler.wait_with_output().unwrap();
    (answer.status.success(), String::from_utf8_lossy(&answer.stderr).into_owned())
}

#[test]
fn declarations_are_the_headers() {
    let (taken, words) = compiles(&program());
    assert!(taken, "{words}");
}

/// Each kind of difference is noticed.
#[test]
fn a_difference_is_noticed() {
    let program = program();
    for (ours, other) in [
        ("VICINAL_CANCELLED == 10", "VICINAL_CANCELLED == 11"),
        ("sizeof(vicinal_event) == ", "1 + sizeof(vicinal_event) == "),
        ("offsetof(vicinal_stats, live) == ", "1 + offsetof(vicinal_stats, live) == "),
        ("->checkpoint_age_s, double:", "->checkpoint_age_s, uint64_t:"),
        ("->name, char*:", "->name, float*:"),
        (
            "(*vicinal_label_predicate)(void*, uint64_t)",
            "(*vicinal_label_predicate)(void*, int64_t)",
        ),
        ("bool vicinal_hits_cut(", "size_t vicinal_hits_cut("),
        ("vicinal_store_convert(char const*, bool*)", "vicinal_store_convert(char const*)"),
        ("void vicinal_index_free(vicinal_index*)", "void vicinal_index_free(vicinal_store*)"),
    ] {
        assert!(program.contains(ours), "{ours}");
        let (taken, _) = compiles(&program.replacen(ours, other, 1));
        assert!(!taken, "nobody notices {other}");
    }
}
