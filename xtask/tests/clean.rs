//! `cargo xtask clean` on a target folder that a real cargo made.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with the tests of images")]
mod support;

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use support::{clean, events, root, run};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A workspace with one tiny package: a build script, a library and a program.
struct Workspace(TempDir);

/// Waits where a file asks it to, for half a minute at most.
const BUILD_SCRIPT: &str = r#"
fn main() {
    println!("cargo::rerun-if-env-changed=HOLD");
    let Ok(hold) = std::env::var("HOLD") else { return };
    std::fs::write(format!("{hold}/started"), "").unwrap();
    for _ in 0..3000 {
        if std::path::Path::new(&format!("{hold}/go")).exists() { return }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nobody let it go");
}
"#;

impl Workspace {
    fn new() -> Workspace {
        let workspace = Workspace(tempfile::tempdir().unwrap());
        let manifest = "[package]\nname = 'tiny'\nversion = '1.0.0'\nedition = '2024'\n\
            [workspace]\n[workspace.package]\nversion = '1.0.0'\n";
        workspace.write("Cargo.toml", manifest);
        workspace.write("build.rs", BUILD_SCRIPT);
        workspace.write("src/lib.rs", "pub fn answer() -> u32 { 42 }\n");
        workspace.write("src/main.rs", "fn main() { println!(\"{}\", tiny::answer()) }\n");
        // Or cargo would take what is made to look old for older than these.
        set_times(workspace.0.path(), SystemTime::now() - 100 * DAY);
        let pipeline = fs::read_to_string(root().join("config/pipeline.toml")).unwrap();
        workspace.write("config/pipeline.toml", &pipeline);
        fs::copy(root().join("config/buildkitd.toml"), workspace.path("config/buildkitd.toml")).unwrap();
        // A program outside of cargo's target folder takes the workspace's. Written by this process, it could not be
        // started while another thread starts something.
        run(Command::new("cp").arg(env!("CARGO_BIN_EXE_xtask")).arg(workspace.path("xtask")));
        workspace
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    /// `cargo build --offline` here.
    fn cargo(&self, args: &[&str]) -> Command {
        let mut command = clean(Command::new("cargo"));
        command.args(["build", "--offline"]).args(args).current_dir(self.0.path());
        command.env_remove("CARGO_TARGET_DIR");
        command
    }

    /// Builds and says how many crates were compiled; what came out works.
    fn build(&self, args: &[&str]) -> usize {
        let output = self.cargo(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let profile = if args.contains(&"--release") { "release" } else { "debug" };
        assert_eq!(run(&mut Command::new(self.path(&format!("target/{profile}/tiny")))), "42\n");
        said.matches("Compiling").count()
    }

    fn xtask(&self, args: &[&str]) -> Command {
        let mut command = clean(Command::new(self.path("xtask")));
        command.arg("clean").args(args).current_dir(self.0.path());
        command.env("CARGO_MANIFEST_DIR", self.path("xtask"));
        command
    }

    /// Cleans, and returns what is said to be removed, or would be.
    fn clean(&self, args: &[&str]) -> Value {
        let said = run(self.xtask(&["--message-format", "json"]).args(args));
        events(&said).into_iter().find(|event| event["event"] == "removed").unwrap()
    }

    /// Makes all that is in a folder look as if it had been used last that long ago.
    fn age(&self, path: &str, age: Duration) {
        set_times(&self.path(path), SystemTime::now() - age);
    }

    fn units(&self, profile: &str) -> usize {
        fs::read_dir(self.path(&format!("target/{profile}/.fingerprint"))).map_or(0, Iterator::count)
    }
}

fn set_times(path: &Path, time: SystemTime) {
    let metadata = fs::symlink_metadata(path).unwrap();
    if metadata.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| set_times(&entry.unwrap().path(), time));
    }
    if !metadata.is_symlink() {
        let times = FileTimes::new().set_modified(time).set_accessed(time);
        File::open(path).unwrap().set_times(times).unwrap();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        sleep(Duration::from_millis(1));
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_old_goes_and_cargo_makes_it_again() {
    let workspace = Workspace::new();
    assert_eq!((workspace.build(&[]), workspace.build(&["--release"])), (1, 1));
    workspace.age("target/debug", 8 * DAY);
    workspace.age("target/release", 6 * DAY);
    let before = workspace.units("debug");

    let told = workspace.clean(&["--older-than", "7d", "--dry-run"]);
    assert_eq!(told["dry_run"], true);
    assert_eq!((workspace.units("debug"), workspace.build(&[])), (before, 0));
    // That build read the fingerprints, which a machine that notes no such time does not know.
    workspace.age("target/debug", 8 * DAY);
    let removed = workspace.clean(&["--older-than", "7d"]);
    assert_eq!((&removed["size"], &removed["left"]), (&told["size"], &told["left"]));
    assert!(removed["size"].as_u64().unwrap() > 100_000, "{removed}");
    assert_eq!(workspace.units("debug"), 0);
    for folder in ["deps", "build", "incremental"] {
        let left = fs::read_dir(workspace.path(&format!("target/debug/{folder}"))).unwrap().count();
        assert_eq!(left, 0, "{folder}");
    }
    assert!(!workspace.path("target/debug/tiny").exists() && workspace.path("target/release/tiny").exists());
    assert_eq!((workspace.build(&[]), workspace.build(&["--release"])), (1, 0));
}

#[test]
fn what_was_used_last_is_kept() {
    let workspace = Workspace::new();
    workspace.build(&[]);
    workspace.build(&["--release"]);
    workspace.age("target", 2 * DAY);
    workspace.age("target/release", 3 * DAY);
    for (name, days) in [("old", 9), ("new", 1)] {
        for file in [format!("target/dist/{name}"), format!("target/dist/{name}.sha256")] {
            workspace.write(&file, &"x".repeat(1_000_000));
            workspace.age(&file, days * DAY);
        }
    }
    let all = workspace.clean(&["--keep", "1TB"]);
    assert_eq!(all["size"], 0);
    let total = all["left"].as_u64().unwrap();

    let removed = workspace.clean(&["--keep", &format!("{}B", total - 1)]);
    assert_eq!(removed["rows"][0]["place"], "dist");
    assert_eq!(removed["left"].as_u64().unwrap(), total - removed["size"].as_u64().unwrap());
    assert!(!workspace.path("target/dist/old.sha256").exists() && workspace.path("target/dist/new").exists());

    // The release build is older than the other one.
    let left = removed["left"].as_u64().unwrap();
    workspace.clean(&["--keep", &format!("{}B", left - 200_000)]);
    assert!(workspace.units("release") < 4 && workspace.path("target/debug/tiny").exists());
    workspace.clean(&["--keep", "0B"]);
    assert_eq!((workspace.units("debug"), workspace.units("release")), (0, 0));
    assert!(!workspace.path("target/dist/new").exists());
    assert_eq!(workspace.build(&[]), 1);
}

#[test]
fn what_a_running_build_uses_stays() {
    let workspace = Workspace::new();
    workspace.build(&[]);
    workspace.build(&["--release"]);
    workspace.age("target", 8 * DAY);
    let before = workspace.units("debug");
    let mut cargo = workspace.cargo(&[]);
    let mut build = cargo.env("HOLD", workspace.0.path()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the build", || workspace.path("started").exists());

    for args in [&["--older-than", "0s", "--dry-run"][..], &["--older-than", "0s"]] {
        let output = workspace.xtask(args).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains("note: a running build uses debug: nothing is removed there"));
    }
    assert!(workspace.units("debug") >= before && workspace.path("target/debug/tiny").exists());
    assert_eq!(workspace.units("release"), 0);
    workspace.write("go", "");
    assert!(build.wait().unwrap().success());
    assert_eq!(workspace.clean(&["--older-than", "0s"])["in_use"], Value::Array(vec![]));
    assert_eq!(workspace.units("debug"), 0);
}

#[test]
fn what_a_run_of_the_pipeline_uses_stays() {
    let workspace = Workspace::new();
    workspace.write("target/dist/app", "");
    let lock = File::create(workspace.path("target/xtask.lock")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(workspace.clean(&["--older-than", "0s"])["in_use"][0], ".");
    assert!(workspace.path("target/dist/app").exists());
    drop(lock);
    workspace.clean(&["--older-than", "0s"]);
    assert!(!workspace.path("target/dist/app").exists());
    assert!(workspace.path("target/xtask.lock").exists());
}

/// The units of cargo are in the middle of thousands of others, so that some of these times they are hit.
#[test]
fn a_clean_that_is_killed_leaves_a_folder_that_cargo_can_use() {
    let workspace = Workspace::new();
    let mut interrupted = 0;
    for part in [8, 5, 2] {
        workspace.build(&[]);
        workspace.age("target", 3 * DAY);
        for index in 0..1000_u64 {
            let (name, hash) = (format!("fake-{index:016x}"), format!("{index:016x}"));
            let unit = format!("target/debug/.fingerprint/{name}");
            workspace.write(&format!("{unit}/lib-fake"), "");
            for extension in ["rlib", "rmeta"] {
                workspace.write(&format!("target/debug/deps/libfake-{hash}.{extension}"), "");
            }
            workspace.age(&unit, if index % 2 == 0 { 4 * DAY } else { 2 * DAY });
        }
        let all = workspace.units("debug");
        let mut clean = workspace.xtask(&["--older-than", "1d", "--quiet"]).spawn().unwrap();
        wait_until("a part", || workspace.units("debug") <= all * part / 10 || has_ended(&mut clean));
        clean.kill().unwrap();
        clean.wait().unwrap();
        interrupted += usize::from((1..all).contains(&workspace.units("debug")));
        for index in 0..1000_u64 {
            // What cargo would take for compiled is all there.
            let fingerprint = format!("target/debug/.fingerprint/fake-{index:016x}/lib-fake");
            let has = |extension| {
                workspace.path(&format!("target/debug/deps/libfake-{index:016x}.{extension}")).exists()
            };
            assert!(!workspace.path(&fingerprint).exists() || (has("rlib") && has("rmeta")), "{fingerprint}");
        }
        workspace.build(&[]);
    }
    assert!(interrupted > 0, "none was killed in the middle");
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

#[test]
fn a_target_folder_may_be_a_link_or_elsewhere() {
    let workspace = Workspace::new();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), workspace.path("target")).unwrap();
    workspace.build(&[]);
    workspace.clean(&["--older-than", "0s"]);
    assert_eq!(workspace.units("debug"), 0);
    assert!(workspace.path("target").is_symlink());
    assert_eq!(workspace.build(&[]), 1);

    // As `CARGO_TARGET_DIR` has it: this program is in the folder, and stays.
    fs::remove_file(workspace.path("target")).unwrap();
    let own = elsewhere.path().join("debug/xtask");
    run(Command::new("cp").arg(workspace.path("xtask")).arg(&own));
    let mut command = clean(Command::new(&own));
    command.args(["clean", "--older-than", "0s"]).env("CARGO_MANIFEST_DIR", workspace.path("xtask"));
    command.env("CARGO_TARGET_DIR", elsewhere.path());
    run(&mut command);
    assert_eq!(fs::read_dir(elsewhere.path().join("debug/.fingerprint")).unwrap().count(), 0);
    assert!(own.exists());
}

#[test]
fn what_cannot_be_removed_is_named() {
    let workspace = Workspace::new();
    workspace.write("target/dist/app", "");
    workspace.write("target/images/app.tar", "");
    let set_mode = |path: &str, mode| {
        fs::set_permissions(workspace.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    // Everyone may do anything but write to one folder, and root is made one of them.
    for (path, mode) in [("", 0o755), ("target", 0o777), ("target/images", 0o777), ("target/dist", 0o555)] {
        set_mode(path, mode);
    }
    let mut command = workspace.xtask(&["--older-than", "0s"]);
    if run(Command::new("id").arg("-u")) == "0\n" {
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    set_mode("target/dist", 0o755);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let path = fs::canonicalize(workspace.path("target/dist/app")).unwrap();
    let named = format!("error: cannot remove {}: Permission denied", path.display());
    assert!(stderr(&output).contains(&named), "{}", stderr(&output));
    assert!(!workspace.path("target/images/app.tar").exists());
}

#[test]
fn without_a_limit_it_only_shows_what_takes_space() {
    let workspace = Workspace::new();
    let nothing = String::from_utf8(workspace.xtask(&[]).output().unwrap().stdout).unwrap();
    assert!(nothing.contains("0 B") && !nothing.contains("to remove"), "{nothing}");
    workspace.build(&[]);
    workspace.age("target/debug", 40 * DAY);
    let units = workspace.units("debug");
    let said = run(&mut workspace.xtask(&[]));
    for told in ["debug: programs and tests", "debug: build scripts", "debug: incremental", "in all"] {
        assert!(said.contains(told), "{said}");
    }
    assert!(said.ends_with("to remove some of it: cargo xtask clean --older-than 7d\n"), "{said}");
    assert_eq!(workspace.units("debug"), units);

    let said = events(&run(&mut workspace.xtask(&["--message-format", "json"])));
    let documentation = include_str!("../../docs/events.md");
    for key in said[0].as_object().unwrap().keys().chain(said[0]["rows"][0].as_object().unwrap().keys()) {
        assert!(documentation.contains(&format!("`{key}`")), "docs/events.md does not describe `{key}`");
    }
    let mut rows = said[0]["rows"].as_array().unwrap().iter().filter(|row| row["place"] == "debug");
    assert!(rows.all(|row| row["used"]["day"] == 0 && row["used"]["older"] == row["size"]), "{said:?}");
}
