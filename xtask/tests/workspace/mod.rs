//! A workspace in which `cargo xtask` runs small programs in the places of cargo and xtask-db.
#![allow(dead_code, reason = "each file of tests uses its part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A workspace with a program named `cargo` that does what a script says; `$1` is `fmt`, `clippy`, `build`, `check` or
/// `test`. xtask is in it, too, because it looks for xtask-db beside itself.
pub(crate) struct Workspace(TempDir);

/// Runs the command after `--`, if there is one.
const XTASK_DB: &str = "while [ $# -gt 0 ]; do [ \"$1\" = -- ] && shift && exec \"$@\"; shift; done";

impl Workspace {
    pub(crate) fn with(script: &str) -> Workspace {
        Workspace::for_backends(r#"["sqlite"]"#, script)
    }

    pub(crate) fn for_backends(backends: &str, script: &str) -> Workspace {
        let workspace = Workspace(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let pipeline = fs::read_to_string(root.join("config/pipeline.toml")).unwrap();
        let (before, after) = pipeline.split_once("\nbackends = ").unwrap();
        let after = after.split_once('\n').unwrap().1;
        fs::create_dir(workspace.path().join("config")).unwrap();
        let pipeline = format!("{before}\nbackends = {backends}\n{after}");
        fs::write(workspace.path().join("config/pipeline.toml"), pipeline).unwrap();
        fs::copy(root.join("Cargo.toml"), workspace.path().join("Cargo.toml")).unwrap();

        workspace.program("cargo", script);
        workspace.program("xtask-db", XTASK_DB);
        workspace.program("hadolint", "");
        let xtask = workspace.path().join("xtask");
        if fs::hard_link(env!("CARGO_BIN_EXE_xtask"), &xtask).is_err() {
            fs::copy(env!("CARGO_BIN_EXE_xtask"), &xtask).unwrap();
        }
        workspace
    }

    /// Puts a program of this name first on PATH; it runs `script` in the workspace.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.path().join(name);
        fs::write(&path, format!("#!/bin/sh\ncd '{}'\n{script}", self.path().display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(self.path().join("xtask"));
        command.args(args).env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::piped());
        // As `cargo run` sets it; the folder itself is not needed.
        command.env("CARGO_MANIFEST_DIR", self.path().join("xtask"));
        for name in ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS", "CI"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.xtask(args).output().unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Waits until a step has written `name`.
    pub(crate) fn wait_for(&self, name: &str) {
        wait_until(name, || self.path().join(name).exists());
    }

    /// The processes whose numbers steps have noted in `pids`, once those that were killed have had time to go.
    pub(crate) fn processes_left(&self) -> Vec<String> {
        let left =
            || self.read("pids").lines().filter(|pid| is_alive(pid)).map(str::to_owned).collect::<Vec<_>>();
        let began = Instant::now();
        while !left().is_empty() && began.elapsed() < Duration::from_secs(1) {
            sleep(Duration::from_millis(10));
        }
        left()
    }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(15), "waited in vain: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A zombie is no longer running, only not yet collected by its parent.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

pub(crate) fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap().success()
    );
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// docs/events.md names every field.
pub(crate) fn check_documented(events: &[serde_json::Value]) {
    let documentation = include_str!("../../../docs/events.md");
    for event in events {
        for key in event.as_object().unwrap().keys() {
            assert!(documentation.contains(&format!("`{key}`")), "docs/events.md does not describe `{key}`");
        }
    }
}
