//! Finds libvicinal.so: in the folder VICINAL_LIB_DIR, or where pkg-config says that `vicinal-c` is.
//!
//! A relative VICINAL_LIB_DIR counts from the folder in which cargo was called, else from this
//! package's. Without pkg-config the linker looks where it always does. For another machine's target
//! pkg-config counts only when it was told of that machine: by PKG_CONFIG, PKG_CONFIG_SYSROOT_DIR or
//! PKG_CONFIG_ALLOW_CROSS.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    for name in [
        "VICINAL_LIB_DIR",
        "PKG_CONFIG",
        "PKG_CONFIG_PATH",
        "PKG_CONFIG_LIBDIR",
        "PKG_CONFIG_SYSROOT_DIR",
        "PKG_CONFIG_ALLOW_CROSS",
    ] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let folders = match said("VICINAL_LIB_DIR") {
        Some(folder) => vec![absolute(Path::new(&folder))],
        None => known_to_pkg_config(),
    };
    require_shared(&folders);
    for folder in folders {
        println!("cargo:rustc-link-search=native={}", folder.display());
    }
    println!("cargo:rustc-link-lib=dylib=vicinal");
}

/// The environment variable `name`; one that is empty says nothing.
fn said(name: &str) -> Option<String> {
    env::var_os(name).filter(|value| !value.is_empty()).map(|value| {
        value
            .into_string()
            .unwrap_or_else(|value| refuse(&format!("{name} is no UTF-8: {value:?}")))
    })
}

/// `folder` from the root on: cargo runs this script, and rustc, in folders of its own choice.
fn absolute(folder: &Path) -> PathBuf {
    if folder.is_absolute() {
        return folder.to_owned();
    }
    println!("cargo:rerun-if-env-changed=PWD");
    let here = env::current_dir().unwrap_or_else(|error| refuse(&format!("no folder: {error}")));
    let of_caller = said("PWD").map(|pwd| Path::new(&pwd).join(folder));
    of_caller.filter(|place| place.is_dir()).unwrap_or_else(|| here.join(folder))
}

fn known_to_pkg_config() -> Vec<PathBuf> {
    require_one_machine();
    let named = said("PKG_CONFIG");
    let program = named.as_deref().unwrap_or("pkg-config");
    let answer = match Command::new(program).args(["--libs-only-L", "vicinal-c"]).output() {
        Ok(answer) => answer,
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
            println!(
                "cargo:warning=no pkg-config here: the linker looks for libvicinal.so where it \
                 always does; if that is not where it is, set VICINAL_LIB_DIR to its folder"
            );
            return Vec::new();
        }
        Err(error) => refuse(&format!("{program}: {error}")),
    };
    if !answer.status.success() {
        refuse(&String::from_utf8_lossy(&answer.stderr));
    }
    let flags = words(&String::from_utf8_lossy(&answer.stdout));
    flags.iter().filter_map(|flag| flag.strip_prefix("-L")).map(PathBuf::from).collect()
}

/// Refuses to take this machine's library for that of another.
fn require_one_machine() {
    let (target, host) = (said("TARGET"), said("HOST"));
    let allowed = match said("PKG_CONFIG_ALLOW_CROSS") {
        Some(allowed) => allowed != "0",
        None => said("PKG_CONFIG").is_some() || said("PKG_CONFIG_SYSROOT_DIR").is_some(),
    };
    if target != host && !allowed {
        refuse(&format!(
            "pkg-config knows this machine ({}), and the target is {}; to ask it nevertheless set \
             PKG_CONFIG_SYSROOT_DIR, or PKG_CONFIG_ALLOW_CROSS=1",
            host.unwrap_or_default(),
            target.unwrap_or_default()
        ));
    }
}

/// The words of a line of pkg-config's, which puts a backslash before what a shell would take apart.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is always one");
        match character {
            '\\' => word.extend(characters.next()),
            blank if blank.is_whitespace() => words.push(String::new()),
            other => word.push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The linker would take libvicinal.a, and then lack everything that the archive needs.
fn require_shared(folders: &[PathBuf]) {
    if folders.is_empty() || folders.iter().any(|folder| folder.join("libvicinal.so").exists()) {
        return;
    }
    let places: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let places = places.join(", ");
    if folders.iter().any(|folder| folder.join("libvicinal.a").exists()) {
        refuse(&format!("{places} has only libvicinal.a, and this crate links the shared library"));
    }
    refuse(&format!("no libvicinal.so in {places}"));
}

fn refuse(why: &str) -> ! {
    eprintln!(
        "set VICINAL_LIB_DIR to the folder of libvicinal.so, or PKG_CONFIG_PATH to that of \
         vicinal-c.pc: {why}"
    );
    std::process::exit(1);
}
