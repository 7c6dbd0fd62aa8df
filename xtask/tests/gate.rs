//! What `check` runs, leaves out, goes on after and ends: with small programs in the places of cargo and xtask-db.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod workspace;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use workspace::{Workspace, check_documented, stderr};

/// A gate of two steps: `cargo fmt`, which reads what is written in Rust, and `cargo clippy`, which reads more.
const TWO: &str = "--only=format,clippy-pipeline";

/// Notes which of cargo's subcommands ran.
const LOG: &str = "echo $1 >> log";

fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git").args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// A workspace in which git keeps the folders `src` and `docs`, and nothing else.
fn repository(script: &str) -> Workspace {
    let workspace = Workspace::with(script);
    let path = workspace.path();
    git(path, &["init", "--quiet"]);
    fs::write(path.join(".gitignore"), "/*\n!/src/\n!/docs/\n").unwrap();
    for (folder, file) in [("src", "src/lib.rs"), ("docs", "docs/page.md")] {
        fs::create_dir(path.join(folder)).unwrap();
        fs::write(path.join(file), "first").unwrap();
    }
    git(path, &["add", "src", "docs"]);
    git(path, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first"]);
    workspace
}

/// Runs the gate, which has to succeed, and returns which subcommands of cargo ran.
fn ran(workspace: &Workspace, args: &[&str]) -> Vec<String> {
    let _ = fs::remove_file(workspace.path().join("log"));
    let output = workspace.run(&[&["check", "-j", "1"], args].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    workspace.read("log").lines().map(str::to_owned).collect()
}

#[test]
fn what_has_passed_on_the_same_files_is_not_run_again() {
    let workspace = repository(LOG);
    assert_eq!(ran(&workspace, &[TWO]), ["fmt", "clippy"]);
    assert!(ran(&workspace, &[TWO]).is_empty());
    let text = stderr(&workspace.run(&["check", TWO]));
    assert!(text.contains("         format     0.00 s   cached\n"), "{text}");

    fs::write(workspace.path().join("docs/page.md"), "second").unwrap();
    assert_eq!(ran(&workspace, &[TWO]), ["clippy"]);
    fs::write(workspace.path().join("src/new.rs"), "").unwrap();
    assert_eq!(ran(&workspace, &[TWO]), ["fmt", "clippy"]);
    fs::remove_file(workspace.path().join("src/new.rs")).unwrap();
    assert_eq!(ran(&workspace, &[TWO]), ["fmt", "clippy"]);
    assert_eq!(ran(&workspace, &[TWO, "--fresh"]), ["fmt", "clippy"]);
    assert!(workspace.xtask(&["check", TWO]).env("CI", "true").status().unwrap().success());
    assert_eq!(workspace.read("log").lines().count(), 4, "CI left something out");
}

#[test]
fn another_surrounding_runs_everything_again() {
    let workspace = repository(LOG);
    assert_eq!(ran(&workspace, &[TWO]), ["fmt", "clippy"]);
    let output = workspace.xtask(&["check", TWO]).env("RUSTFLAGS", "-C opt-level=1").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(workspace.read("log").lines().count(), 4);
}

#[test]
fn what_failed_or_was_changed_under_its_feet_has_not_passed() {
    let failing = repository("echo $1 >> log; [ $1 = fmt ]");
    for _ in 0..2 {
        assert_eq!(failing.run(&["check", TWO, "-j", "1"]).status.code(), Some(1));
    }
    assert_eq!(failing.read("log"), "fmt\nclippy\nclippy\n");

    let changed = repository("echo $1 >> log; [ $1 = fmt ] || echo x >> src/lib.rs");
    assert_eq!(ran(&changed, &[TWO]), ["fmt", "clippy"]);
    assert_eq!(ran(&changed, &[TWO]), ["fmt", "clippy"]);
}

#[test]
fn without_git_everything_runs_each_time() {
    let workspace = Workspace::with(LOG);
    // A repository above the temporary folder would be one.
    let run =
        || workspace.xtask(&["check", TWO, "-j", "1"]).env("GIT_CEILING_DIRECTORIES", "/").output().unwrap();
    assert!(run().status.success() && run().status.success());
    assert_eq!(workspace.read("log").lines().count(), 4);
}

#[test]
fn a_change_runs_what_it_can_affect_and_says_why() {
    let workspace = repository(LOG);
    fs::write(workspace.path().join("docs/page.md"), "second").unwrap();
    let output = workspace.run(&["check", TWO, "--since", "HEAD", "--fresh"]);
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(workspace.read("log"), "clippy\n");
    for line in [
        "clippy-pipeline > the pipeline has no lints, since docs/page.md has changed",
        "nothing that it reads has changed since HEAD",
    ] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    let output = workspace.run(&["check", "--since", "no-such-branch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("git does not know `no-such-branch`"), "{}", stderr(&output));
}

#[test]
fn a_gate_that_goes_on_sums_up_every_failure() {
    let workspace =
        Workspace::with("[ $1 = build ] && exit 0; [ $1 = metadata ] && exit 0; echo \"$1 broke\"; exit 3");
    let args = ["check", "--only=format,lock,clippy-pipeline,sqlx-sqlite", "--keep-going", "-j", "1"];
    let output = workspace.run(&args);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    let last = text.lines().rev().take(3).collect::<Vec<_>>();
    for (line, step) in last.iter().rev().zip(["format", "clippy-pipeline", "describe-sqlite"]) {
        let repeat = format!("error: step `{step}` failed with exit code 3: cargo xtask check --only {step}");
        assert_eq!(*line, repeat, "{text}");
    }
    assert!(text.contains("warning: step `sqlx-sqlite` is skipped"), "{text}");
    assert!(text.contains("\n           lock "), "the summary is missing:\n{text}");

    let output = workspace.run(&[&args[..], &["--message-format", "json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let last = serde_json::from_str::<serde_json::Value>(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["failures"].as_array().unwrap().len(), 3, "{last}");
    check_documented(&[last]);
}

#[test]
fn a_command_that_repeats_a_step_is_one() {
    let workspace = Workspace::with("[ $1 = check ] || exit 0; exit 3");
    let output = workspace.run(&["check", "--only=sqlx-sqlite"]);
    let text = stderr(&output);
    let (_, command) = text.lines().last().unwrap().split_once("cargo xtask ").unwrap();
    let again = workspace.run(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(3), "{command}: {}", stderr(&again));
}

/// Cargo, as far as it builds tests and runs them.
fn tests(pipeline: &str, service: &str) -> Workspace {
    let workspace = Workspace::with(&format!(
        "case \"$*\" in
         *db_sqlite*) {service};;
         test*) {pipeline};;
         esac"
    ));
    // Whether a machine has the real one must not matter.
    workspace.program("cargo-nextest", "");
    workspace
}

const BUILT: &str = "echo '{\"reason\":\"build-finished\",\"success\":true}'";

#[test]
fn the_next_part_is_compiled_while_tests_run() {
    let wait = "for i in $(seq 100); do [ -e at-sqlite ] && exit 0; sleep 0.1; done; exit 1";
    let workspace = tests(&format!("{BUILT}; {wait}"), "touch at-sqlite");
    let output = workspace.run(&["check", "--only=pipeline,sqlite", "-j", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn one_cargo_at_a_time_compiles() {
    let alone = "mkdir compiling || exit 1; sleep 0.2; rmdir compiling";
    let workspace = tests(&format!("{alone}; {BUILT}"), &format!("{alone}; {BUILT}"));
    let output = workspace.run(&["check", "--only=pipeline,sqlite", "-j", "4"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_test_that_hangs_is_named_and_killed() {
    let running = "echo '     Running unittests src/lib.rs (./tests)'; echo 'test quick ... ok'";
    let workspace = tests(
        &format!(
            "{BUILT}; {running}; trap '' INT TERM; echo $$ >> pids; sleep 60 & echo $! >> pids; wait; sleep 60"
        ),
        "",
    );
    workspace.program("tests", "echo 'endless: test'; echo 'quick: test'");
    let pipeline = workspace.path().join("config/pipeline.toml");
    let text = fs::read_to_string(&pipeline).unwrap().replace("test_limit = \"15m\"", "test_limit = \"1s\"");
    fs::write(&pipeline, text).unwrap();
    let began = Instant::now();
    let output = workspace.run(&["check", "--only=pipeline"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(124), "{text}");
    assert!(
        text.contains("no test has had a result for 1 s: `endless` of ./tests hangs; the limit is"),
        "{text}"
    );
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
    assert_eq!(workspace.processes_left(), Vec::<String>::new());
}

#[test]
fn a_missing_tool_is_said_and_with_strict_a_failure() {
    let workspace = Workspace::with("");
    fs::remove_file(workspace.path().join("hadolint")).unwrap();
    let path = format!("{}:/usr/bin:/bin", workspace.path().display());
    let run = |args: &[&str]| -> Output {
        workspace
            .xtask(&[&["check", "--only=format,dockerfile"], args].concat())
            .env("PATH", &path)
            .output()
            .unwrap()
    };
    let output = run(&[]);
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("warning: step `dockerfile` is skipped"), "{text}");
    assert!(text.contains("\ndockerfile          -   skipped\n"), "the summary lacks it:\n{text}");
    let output = run(&["--strict"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.starts_with("error: hadolint is not on PATH; `cargo xtask setup --for check`"), "{text}");
}

#[test]
fn it_runs_in_any_folder_of_any_work_tree() {
    let workspace = repository("echo \"$OLDPWD\" >> log");
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().canonicalize().unwrap().join("ein Baum, größer");
    git(workspace.path(), &["worktree", "add", "--quiet", "--detach", &tree.to_string_lossy()]);
    for part in ["config", "Cargo.toml", ".gitignore"] {
        let copied =
            Command::new("cp").arg("-r").arg(workspace.path().join(part)).arg(&tree).status().unwrap();
        assert!(copied.success());
    }
    for run in 0..2 {
        let mut xtask = workspace.xtask(&["check", TWO, "-j", "1"]);
        xtask.current_dir(tree.join("src")).env("CARGO_MANIFEST_DIR", tree.join("xtask"));
        let output = xtask.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(workspace.read("log"), format!("{}\n", tree.display()).repeat(2), "run {run}");
    }
}
