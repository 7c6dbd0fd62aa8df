//! The command line: exit codes, messages, and what killed runs leave.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]

mod common;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use common::{Sandbox, dynamic_program, program};
use image_spec::{ImageReport, Platform};
use xtask_oci::digest::Digest;

/// An engine that finds no other program: cargo names itself to the tests that it runs, and with it its toolchain.
fn engine(sandbox: &Sandbox) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-oci"));
    command.current_dir(sandbox.path(".")).env("PATH", "/nonexistent").env_remove("CARGO");
    command
}

fn result(output: &Output) -> (Option<i32>, String) {
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> (Option<i32>, String) {
    result(&engine(sandbox).args(arguments).output().unwrap())
}

#[test]
fn a_spec_on_standard_input_makes_an_image_and_a_report() {
    let sandbox = Sandbox::new();
    let mut child = engine(&sandbox)
        .args(["image", "--metadata-file", "out/meta.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&sandbox.spec()).unwrap()).unwrap();
    assert_eq!(result(&child.wait_with_output().unwrap()), (Some(0), String::new()));
    let report: ImageReport =
        serde_json::from_slice(&fs::read(sandbox.path("out/meta.json")).unwrap()).unwrap();
    assert_eq!(report.platforms[0].layers.len(), 3);
    assert!(sandbox.path("image.tar").is_file() && sandbox.path("target/images/cache").is_dir());
}

#[test]
fn bad_input_says_where_and_exits_with_1_and_bad_usage_with_2() {
    let sandbox = Sandbox::new();
    sandbox.file("bad.json", b"{\n  \"base\": 7\n}");
    let (code, message) = run(&sandbox, &["image", "bad.json"]);
    assert_eq!(code, Some(1));
    assert!(
        message.starts_with("error: bad.json is not the JSON of ImageSpec: ") && message.contains("line 2"),
        "{message}"
    );
    let (code, message) = run(&sandbox, &["image", "none.json"]);
    assert_eq!(
        (code, message.as_str()),
        (Some(1), "error: cannot read none.json: No such file or directory (os error 2)\n")
    );
    assert_eq!(run(&sandbox, &["image", "--nonsense"]).0, Some(2));
    assert_eq!(run(&sandbox, &["artifact", "app", "out", "--platform", "linux/mips"]).0, Some(2));
    assert_eq!(run(&sandbox, &[]).0, Some(2));
}

#[test]
fn a_killed_run_leaves_the_old_image_or_the_new_one() {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    spec.compression = "zstd:1".parse().unwrap();
    sandbox.write(&spec);
    let mut images = vec![fs::read(sandbox.path("image.tar")).unwrap()];
    for round in 0..12u64 {
        let mut bytes = program(Platform::LinuxAmd64);
        bytes.extend((0..3_000_000u64).map(|n| (n.wrapping_mul(round + 7) >> 5) as u8));
        sandbox.file("app", &bytes);
        sandbox.file("spec.json", &serde_json::to_vec(&spec).unwrap());
        let mut child = engine(&sandbox).args(["image", "spec.json", "--cache", "cache"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(3 + 8 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = fs::read(sandbox.path("image.tar")).unwrap();
        sandbox.check_layout();
        sandbox.write(&spec);
        let made = fs::read(sandbox.path("image.tar")).unwrap();
        assert!(left == *images.last().unwrap() || left == made, "round {round}: half an archive");
        images.push(made);
    }
}

#[test]
fn an_artifact_is_placed_once_with_its_sum() {
    let sandbox = Sandbox::new();
    let place = || run(&sandbox, &["artifact", "app", "dist/app-x", "--platform", "linux/amd64"]);
    assert_eq!(place(), (Some(0), String::new()));
    let dest = sandbox.path("dist/app-x");
    let found = fs::metadata(&dest).unwrap();
    assert_eq!(found.permissions().mode() & 0o7777, 0o755);
    let sum = format!("{}  app-x\n", Digest::of_file(&dest).unwrap().hex());
    assert_eq!(fs::read_to_string(sandbox.path("dist/app-x.sha256")).unwrap(), sum);

    assert_eq!(place().0, Some(0));
    assert_eq!(fs::metadata(&dest).unwrap().modified().unwrap(), found.modified().unwrap());
    fs::remove_file(sandbox.path("dist/app-x.sha256")).unwrap();
    assert_eq!(place().0, Some(0));
    assert_eq!(sandbox.names("dist"), ["app-x", "app-x.sha256"]);
}

#[test]
fn artifacts_for_another_machine_are_refused() {
    let sandbox = Sandbox::new();
    let place = |platform: &str| run(&sandbox, &["artifact", "app", "dist/app", "--platform", platform]);
    let wrong =
        "error: app is built for amd64, not for linux/arm64; build it with `--platform linux/arm64`\n";
    assert_eq!(place("linux/arm64"), (Some(1), wrong.to_owned()));
    sandbox.file("app", b"text");
    let text = "error: app is not a Linux program (no ELF header); build it with `--platform linux/amd64`\n";
    assert_eq!(place("linux/amd64"), (Some(1), text.to_owned()));
    assert!(!sandbox.path("dist").exists());
    // Whether a base has its loader is known only when the image is made.
    sandbox.file("app", &dynamic_program(Platform::LinuxAmd64, "/lib64/ld-linux-x86-64.so.2"));
    assert_eq!(place("linux/amd64"), (Some(0), String::new()));
}

#[test]
fn without_upx_the_plain_binary_is_placed_with_a_warning() {
    let sandbox = Sandbox::new();
    let (code, message) =
        run(&sandbox, &["artifact", "app", "dist/app", "--platform", "linux/amd64", "--upx"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        message,
        "warning: dist/app is not compressed with UPX: upx is not installed (`apt install upx-ucl`)\n"
    );
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);
}

#[test]
fn without_objcopy_the_binary_has_no_list_and_a_warning_says_so() {
    let sandbox = Sandbox::new();
    let metadata = r#"{"packages": [{"id": "a", "name": "app", "version": "1.0.0", "source": null, "features": {},
        "dependencies": [], "targets": []}], "workspace_members": ["a"],
        "resolve": {"nodes": [{"id": "a", "deps": [], "features": []}]}}"#;
    sandbox.file("metadata.json", metadata.as_bytes());
    let place = |more: &[&str]| {
        let arguments = ["artifact", "app", "dist/app", "--platform", "linux/amd64", "--cargo-metadata"];
        run(&sandbox, &[&arguments, more].concat())
    };
    let warning = "warning: dist/app has no list of its packages: there is no objcopy; rustup's toolchains bring one, \
                   otherwise `apt install llvm`\n";
    for _ in 0..2 {
        assert_eq!(place(&["metadata.json", "--package", "app"]), (Some(0), warning.to_owned()));
    }
    assert_eq!(sandbox.names("dist"), ["app", "app.sha256"]);
    let unknown = "error: the workspace has no package `other`; it has app\n";
    assert_eq!(place(&["metadata.json", "--package", "other"]), (Some(1), unknown.to_owned()));
    let missing = "error: cannot read none.json: No such file or directory (os error 2)\n";
    assert_eq!(place(&["none.json", "--package", "app"]), (Some(1), missing.to_owned()));
    assert_eq!(place(&["metadata.json"]).0, Some(2));
}
