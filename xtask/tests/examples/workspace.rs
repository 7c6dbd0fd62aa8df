//! Where examples are tried: what follows from them is planned or read, and nothing of it is done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Tasks that `--dry-run` does not keep from working, and why. Their flags are only read: `--help` comes last.
const ONLY_READ: &[(&str, &str)] = &[
    // By name, then why.
    ("bdp", "builds all the same, to say what a push would upload"),
    ("adopt", "looks at the project all the same"), // template: if is_template
];

/// The files that plans follow from, and the one that has shorthands.
const READ: [&str; 5] =
    ["Cargo.toml", "Dockerfile", "Makefile", "rust-toolchain.toml", "config/pipeline.toml"];

/// What a task says, with exit code 1, on a machine that lacks something.
const LACKS: [&str; 12] = [
    "check lacks ",
    " is not on PATH",
    "neither trivy nor grype is on PATH",
    "there is no builder ",
    "docker has no plugin compose",
    "docker compose is ",
    "docker has no buildx",
    "docker buildx is ",
    "BuildKit of the node ",
    " does not answer; start it",
    "no way to link a static binary",
    "`cargo xtask bd` cannot work",
];

/// A shell's exit code where there is no such program.
const NO_PROGRAM: i32 = 127;

/// What stands in for cargo.
const CARGO: &str = r#"#!/bin/sh
PATH=${PATH#*:}
[ "$1" = xtask ] || exec cargo "$@"
shift
case " $* " in *" $ADD "*) ADD= ;; esac
exec "$XTASK" "$@" $ADD
"#;

/// A clone with only what xtask itself reads, and a home with the folders that people have.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    /// One of the workspace at `root`.
    pub(crate) fn of(root: &Path) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config", "target", "bin", "home/.zfunc", "home/.config/fish/conf.d"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for file in READ {
            fs::copy(root.join(file), folder.path().join(file)).unwrap();
        }
        let cargo = folder.path().join("bin/cargo");
        fs::write(&cargo, CARGO).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let clone = "git init --quiet && git add . && git -c user.name=a -c user.email=a@b commit --quiet --message a \
                     && git update-ref refs/remotes/origin/main HEAD";
        assert!(
            Command::new("sh").args(["-c", clone]).current_dir(folder.path()).status().unwrap().success()
        );
        Workspace(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a line as a shell would, with `add` at the end of what xtask gets.
    pub(crate) fn shell(&self, line: &str, add: &str) -> Output {
        let path = format!("{}:{}", self.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.path()).env("PATH", path).env("ADD", add);
        shell.env("XTASK", env!("CARGO_BIN_EXE_xtask")).env("HOME", self.path().join("home"));
        // As `cargo run` sets it; the file itself is not needed.
        shell.env("CARGO_MANIFEST_DIR", self.path().join("xtask")).env_remove("CI").output().unwrap()
    }

    /// Checks that a line is right, by a dry run; `mend` says where it is written.
    pub(crate) fn check(&self, line: &str, mend: &str) {
        let task = line.split_whitespace().nth(2).unwrap_or_default();
        if ONLY_READ.iter().any(|(name, _)| *name == task) {
            return self.read(line, mend);
        }
        let output = self.shell(line, "--dry-run");
        let said = [&output.stderr[..], &output.stdout].concat();
        let said = String::from_utf8_lossy(&said);
        let lacks = match output.status.code() {
            Some(1) => LACKS.iter().any(|lack| said.contains(lack)),
            code => code == Some(NO_PROGRAM),
        };
        assert!(
            output.status.success() || lacks,
            "`{line}` ends with {}:\n{said}\nmend it in {mend}; or else, in xtask/tests/examples/workspace.rs, add \
             `{task}` to ONLY_READ, if it does not mind --dry-run, or what it says to LACKS, if this machine lacks \
             something",
            output.status
        );
    }

    /// Checks that there is such a task with such flags; `mend` says where it is written.
    pub(crate) fn read(&self, line: &str, mend: &str) {
        let output = self.shell(line, "--help");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{line}` ends with {}:\n{error}\nmend it in {mend}", output.status);
    }
}
