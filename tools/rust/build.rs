//! Finds libvicinal.so: in the folder VICINAL_LIB_DIR, or where pkg-config says that `vicinal-c` is.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=VICINAL_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG");
    println!("cargo:rustc-link-lib=dylib=vicinal");
    if let Some(folder) = env::var_os("VICINAL_LIB_DIR") {
        println!("cargo:rustc-link-search=native={}", folder.to_string_lossy());
        return;
    }
    let program = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let answer = Command::new(&program)
        .args(["--libs-only-L", "vicinal-c"])
        .output()
        .unwrap_or_else(|error| refuse(&format!("{}: {error}", program.to_string_lossy())));
    if !answer.status.success() {
        refuse(&String::from_utf8_lossy(&answer.stderr));
    }
    for flag in String::from_utf8_lossy(&answer.stdout).split_whitespace() {
        if let Some(folder) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={folder}");
        }
    }
}

fn refuse(why: &str) -> ! {
    eprintln!(
        "set VICINAL_LIB_DIR to the folder of libvicinal.so, or PKG_CONFIG_PATH to that of \
         vicinal-c.pc: {why}"
    );
    std::process::exit(1);
}
