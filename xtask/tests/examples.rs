//! Every command that the help, README.md and docs show is one that works: each is run, with `--dry-run`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod help;
mod whole;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use help::{help, tasks};
use tempfile::TempDir;

/// Tasks that `--dry-run` does not keep from working, and why. Their flags are only read: `--help` comes last.
const ONLY_READ: &[(&str, &str)] = &[
    // By name, then why.
    ("bdp", "builds all the same, to say what a push would upload"),
    ("adopt", "looks at the project all the same"), // template: if is_template
];

/// The files that plans follow from.
const READ: [&str; 4] = ["Cargo.toml", "Dockerfile", "rust-toolchain.toml", "config/pipeline.toml"];

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

/// What stands in for cargo.
const CARGO: &str = r#"#!/bin/sh
PATH=${PATH#*:}
[ "$1" = xtask ] || exec cargo "$@"
shift
case " $* " in *" $ADD "*) ADD= ;; esac
exec "$XTASK" "$@" $ADD
"#;

/// A clone with only what xtask itself reads, and a home with the folders that people have.
struct Workspace(TempDir);

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config", "target", "bin", "home/.zfunc", "home/.config/fish/conf.d"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for file in READ {
            fs::copy(root().join(file), folder.path().join(file)).unwrap();
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

    /// Runs a line as a shell would, with `add` at the end of what xtask gets.
    fn shell(&self, line: &str, add: &str) -> Output {
        let path = format!("{}:{}", self.0.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.0.path()).env("PATH", path).env("ADD", add);
        shell.env("XTASK", env!("CARGO_BIN_EXE_xtask")).env("HOME", self.0.path().join("home"));
        // As `cargo run` sets it; the file itself is not needed.
        shell.env("CARGO_MANIFEST_DIR", self.0.path().join("xtask")).env_remove("CI").output().unwrap()
    }

    /// Checks that a line is right; `mend` says where it is written.
    fn check(&self, line: &str, mend: &str) {
        let task = line.split_whitespace().nth(2).unwrap_or_default();
        let is_only_read = ONLY_READ.iter().any(|(name, _)| *name == task);
        let output = self.shell(line, if is_only_read { "--help" } else { "--dry-run" });
        let error = String::from_utf8_lossy(&output.stderr);
        let said = format!("{error}{}", String::from_utf8_lossy(&output.stdout));
        let lacks = output.status.code() == Some(1) && LACKS.iter().any(|lack| said.contains(lack));
        assert!(
            output.status.success() || lacks,
            "`{line}` ends with {}:\n{error}\nmend it in {mend}; or else, in xtask/tests/examples.rs, add `{task}` to \
             ONLY_READ, if it does not mind --dry-run, or what it says to LACKS, if this machine lacks something",
            output.status
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The commands in a document's blocks of code.
fn commands(document: &str) -> Vec<&str> {
    let blocks = document.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).map(|line| line.trim_start_matches("$ "));
    lines.filter(|line| line.starts_with("cargo xtask")).collect()
}

#[test]
fn every_example_works() {
    let workspace = Workspace::new();
    whole::write_pipeline(root(), workspace.0.path());
    let tasks = tasks();
    assert!(tasks.contains(&"bd".to_owned()), "{tasks:?}");
    for task in tasks {
        let help = help(&[&task]);
        let examples = help.split_once("\nExamples:\n").unwrap_or_else(|| {
            panic!("`cargo xtask help {task}` has no examples: add some to xtask/src/cli/examples.rs")
        });
        for line in examples.1.lines() {
            workspace.check(line.trim(), "xtask/src/cli/examples.rs");
        }
    }
}

#[test]
fn every_command_in_the_documents_works() {
    let workspace = Workspace::new();
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in
        docs.chain([root().join("README.md")]).filter(|path| path.extension().is_some_and(|ext| ext == "md"))
    {
        let document = fs::read_to_string(&path).unwrap();
        for line in commands(&document) {
            workspace.check(line, &path.display().to_string());
            count += 1;
        }
    }
    assert!(count > 10, "only {count} commands were found");
}

#[test]
fn a_flag_that_there_is_not_is_noticed() {
    let workspace = Workspace::new();
    for line in
        ["cargo xtask bd --bakcend sqlite", "cargo xtask bdp --imgae ghcr.io/team/app", "cargo xtask bud"]
    {
        let codes = ["--dry-run", "--help"].map(|add| workspace.shell(line, add).status.code());
        assert_eq!(codes, [Some(2); 2], "{line}");
    }
}

#[test]
fn a_short_help_has_no_examples() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["bd", "-h"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("--backend") && !text.contains("Examples:"), "{text}");
}
