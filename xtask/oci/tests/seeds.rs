//! The seeds of the fuzz targets pass the same checks as there: what fuzzing has found stays fixed, and the targets keep
//! compiling, without anybody having to fuzz.

use std::fs;
use std::path::Path;

#[path = "../fuzz/checks/mod.rs"]
mod checks;

/// What a fuzz target does with its input.
type Check = fn(&[u8]);

#[test]
fn texts_pass() {
    let all: [(&str, Check); 4] = [
        ("config", checks::config::check),
        ("manifest", checks::manifest::check),
        ("reference", checks::reference::check),
        ("tree", checks::tree::check),
    ];
    for (target, check) in all {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let mut seeds = fs::read_dir(folder).unwrap().peekable();
        assert!(seeds.peek().is_some(), "{target} has no seeds");
        for seed in seeds {
            let path = seed.unwrap().path();
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
        }
    }
}

#[test]
fn layers_pass_however_they_are_read() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    tar.append_data(&mut header, "usr/bin/sh", &b"#"[..]).unwrap();
    tar.append_link(&mut header, "bin", "usr/bin").unwrap();
    let tar = tar.into_inner().unwrap();
    for mode in b'@'..=b'O' {
        for lower in [0, 2] {
            checks::layer::check(&[&[mode, lower], &tar[..]].concat());
        }
    }
}

#[test]
fn programs_pass() {
    checks::elf::check(&fs::read(std::env::current_exe().unwrap()).unwrap());
}
