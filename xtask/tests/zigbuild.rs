//! What stands before cargo-zigbuild, with small programs in the place of it and of cargo.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// As the real one: sets variables, and calls the cargo that it is told.
const ZIGBUILD: &str = r#"#!/bin/sh
echo "zigbuild $*" >>"$LOG"
shift
export CC_musl=wrapper SET_ANEW=1 CARGO_TARGET_MUSL_LINKER="$LOG.linker"
exec "$CARGO" build "$@"
"#;
const CARGO: &str = r#"#!/bin/sh
echo "cargo $* CC_musl=$CC_musl SET_ANEW=$SET_ANEW" >>"$LOG"
exit "$CODE"
"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        for (name, text) in [("cargo-zigbuild", ZIGBUILD), ("cargo", CARGO), ("zig", ""), ("log.linker", "")]
        {
            fs::write(folder.path(name), text).unwrap();
            fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Builds, and returns the exit code and what was called.
    fn build(&self, target: &str, variables: &[(&str, &str)]) -> (Option<i32>, Vec<String>) {
        let _ = fs::remove_file(self.path("log"));
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(["zigbuild", "--folder", "known", "--", "--locked", "--target", target, "--config", "a=1"]);
        command.current_dir(self.0.path()).env("PATH", path).env("LOG", self.path("log")).env("CODE", "7");
        let status = command.env("SECRET", "hunter2").envs(variables.iter().copied()).status().unwrap();
        let log = fs::read_to_string(self.path("log")).unwrap();
        (status.code(), log.lines().map(str::to_owned).collect())
    }

    fn known(&self) -> Vec<String> {
        let files = fs::read_dir(self.path("known")).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

#[test]
fn cargo_gets_the_same_without_cargo_zigbuild_from_the_second_time_on() {
    let folder = Folder::new();
    let zigbuild = "zigbuild zigbuild --locked --target musl --config a=1";
    let cargo = "cargo build --locked --target musl --config a=1 CC_musl=wrapper SET_ANEW=1";
    let both = (Some(7), vec![zigbuild.to_owned(), cargo.to_owned()]);
    let alone = (Some(7), vec![cargo.to_owned()]);
    assert_eq!(folder.build("musl", &[]), both);
    assert_eq!(folder.build("musl", &[("TERM", "dumb"), ("CARGO_TERM_COLOR", "always")]), alone);
    let known = folder.known();
    assert!(known.len() == 1 && known[0].contains("\"CC_musl\": \"wrapper\""), "{known:?}");
    assert!(!known[0].contains("SECRET") && !known[0].contains("hunter2"), "{known:?}");

    // Whatever decides what cargo-zigbuild sets has it asked again.
    assert_eq!(folder.build("other", &[]).1.len(), 2);
    assert_eq!(folder.build("musl", &[("CC_musl", "gcc")]), both);
    fs::write(folder.path("zig"), "a newer one").unwrap();
    assert_eq!(folder.build("musl", &[]), both);
    assert_eq!(folder.build("musl", &[]), alone);
    fs::remove_file(folder.path("log.linker")).unwrap();
    assert_eq!(folder.build("musl", &[]), both);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = Folder::new();
    fs::remove_file(folder.path("cargo-zigbuild")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["zigbuild", "--folder", "known", "--", "--locked"]).current_dir(folder.0.path());
    let output = command.env("PATH", folder.0.path()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("error: cannot start cargo-zigbuild: "), "{text}");
    assert!(!output.status.success());
}
