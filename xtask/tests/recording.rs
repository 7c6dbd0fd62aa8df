//! Runs that leave a record for Kitchen, with small programs in the places of cargo and xtask-db.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod workspace;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use workspace::{Workspace, signal, stderr, wait_until};

const LINT: [&str; 3] = ["check", "--only=format", "--fresh"];

/// A project in which a Kitchen was opened.
fn with_history(script: &str) -> Workspace {
    let workspace = Workspace::with(script);
    open_in(workspace.path());
    workspace
}

fn open_in(project: &Path) {
    fs::create_dir(project.join(".kitchen")).unwrap();
    fs::write(project.join(".kitchen/kitchen.db"), "").unwrap();
}

fn records(project: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.join(".kitchen/spool")).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn lines(record: &Path) -> Vec<Value> {
    let text = fs::read_to_string(record).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The names of the events, in their order, with what is no event.
fn events(record: &Path) -> Vec<String> {
    let name = |line: &Value| match line["event"].as_str() {
        Some(event) => event.to_owned(),
        None if line["record"].is_u64() => "record".to_owned(),
        None => "commit".to_owned(),
    };
    // When git has answered is nobody's concern.
    lines(record).iter().map(name).filter(|name| name != "commit").collect()
}

#[test]
fn a_run_leaves_a_record_where_a_kitchen_was_opened() {
    let workspace = with_history("echo it is formatted");
    let output = workspace.run(&LINT);
    assert!(output.status.success(), "{}", stderr(&output));
    let [record] = &records(workspace.path())[..] else { panic!("{:?}", records(workspace.path())) };
    assert_eq!(fs::metadata(record).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(record).unwrap();
    let header = &lines(record)[0];
    assert_eq!(header["record"], 1);
    assert_eq!(header["words"], serde_json::json!(LINT));
    assert!(header["pid"].is_u64() && (cfg!(not(target_os = "linux")) || header["pid_started"].is_u64()));
    assert_eq!(events(record), ["record", "step-started", "output", "step-finished", "finished"]);
    assert!(lines(record).iter().any(|line| line["commit"].is_object()), "{text}");
    // As Kitchen takes it off again.
    for line in text.lines().filter(|line| line.contains("\"event\"")) {
        let (at, event) = line.strip_prefix("{\"at\":").unwrap().split_once(',').unwrap();
        assert!(at.parse::<f64>().unwrap() >= 0.0 && event.starts_with("\"v\":1,\"event\":"), "{line}");
    }
    assert!(File::open(record).unwrap().try_lock().is_ok(), "whoever wrote it is gone");
}

#[test]
fn secrets_of_the_environment_are_not_recorded() {
    let workspace = with_history("echo it is $DEPLOY_TOKEN");
    workspace.xtask(&LINT).env("DEPLOY_TOKEN", "s3cr3t-0123").output().unwrap();
    let text = fs::read_to_string(&records(workspace.path())[0]).unwrap();
    assert!(text.contains("it is ***") && !text.contains("s3cr3t"), "{text}");
}

#[test]
fn what_is_no_build_or_is_recorded_elsewhere_leaves_none() {
    let without = Workspace::with("");
    without.run(&LINT);
    assert!(!without.path().join(".kitchen").exists());

    let workspace = with_history("");
    workspace.run(&["check", "--only=format", "--dry-run"]);
    workspace.run(&["ci", "matrix"]);
    workspace.xtask(&LINT).env("KITCHEN_BUILD", "1").output().unwrap();
    assert!(records(workspace.path()).is_empty());
}

#[test]
fn a_failure_and_an_end_by_ctrl_c_are_in_the_record() {
    let workspace = with_history("exit 3");
    workspace.run(&LINT);
    let failed = lines(&records(workspace.path())[0]).pop().unwrap();
    assert_eq!((&failed["event"], &failed["exit_code"]), (&"finished".into(), &3.into()));

    let workspace = with_history("echo $$ >>pids; echo >runs; sleep 60");
    let mut run = workspace.xtask(&LINT).spawn().unwrap();
    workspace.wait_for("runs");
    let [record] = &records(workspace.path())[..] else { panic!() };
    assert!(File::open(record).unwrap().try_lock_shared().is_err(), "it is held while the run goes on");
    signal(&run, "INT");
    run.wait().unwrap();
    assert_eq!(lines(record).pop().unwrap()["exit_code"], 130);
    assert!(workspace.processes_left().is_empty());
}

#[test]
fn two_at_once_have_a_record_each() {
    let workspace = with_history("echo >>runs; sleep 0.5");
    let runs: Vec<_> = (0..2).map(|_| workspace.xtask(&LINT).spawn().unwrap()).collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    let records = records(workspace.path());
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!(events(record).last().unwrap(), "finished");
    }
}

#[test]
fn a_run_in_a_folder_within_is_one_of_the_project_and_another_tree_has_its_own() {
    let workspace = with_history("");
    fs::create_dir_all(workspace.path().join("app/src")).unwrap();
    workspace.xtask(&LINT).current_dir(workspace.path().join("app/src")).output().unwrap();
    assert_eq!(records(workspace.path()).len(), 1);

    let other = workspace.path().join("other");
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(workspace.path()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    git(&["init", "--quiet"]);
    git(&["add", "config", "Cargo.toml"]);
    git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first"]);
    git(&["worktree", "add", "--quiet", "-b", "feature", "other"]);
    let run =
        || workspace.xtask(&LINT).current_dir(&other).env("CARGO_MANIFEST_DIR", other.join("xtask")).output();
    assert!(run().unwrap().status.success());
    assert!(!other.join(".kitchen").exists() && records(workspace.path()).len() == 1);
    open_in(&other);
    assert!(run().unwrap().status.success());
    let lines = lines(&records(&other)[0]);
    let commit = lines.iter().find_map(|line| line.get("commit")).unwrap();
    assert_eq!((&commit["branch"], commit["revision"].as_str().unwrap().len()), (&"feature".into(), 40));
    assert_eq!(records(workspace.path()).len(), 1);
}

#[test]
fn a_record_that_cannot_be_written_is_a_note_and_no_more() {
    let workspace = with_history("echo fine");
    fs::write(workspace.path().join(".kitchen/spool"), "no folder").unwrap();
    let output = workspace.run(&LINT);
    assert!(output.status.success());
    assert_eq!(
        stderr(&output).matches("this run is not recorded for Kitchen").count(),
        1,
        "{}",
        stderr(&output)
    );

    // No file may be longer than 512 bytes: what comes after the first line fails as it does on a full disk.
    let workspace = with_history("for i in 1 2 3 4 5; do echo a line of some length $i; done");
    let run = workspace.xtask(&[]);
    let command =
        format!("trap '' XFSZ; ulimit -f 1; exec {}/xtask {}", workspace.path().display(), LINT.join(" "));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert_eq!(said.matches("this run is not recorded to its end for Kitchen").count(), 1, "{said}");
    assert!(said.contains("length 5"), "{said}");
}

#[test]
fn a_killed_run_lets_go_of_its_record() {
    let workspace = with_history("echo >runs; sleep 60");
    let mut run = workspace.xtask(&LINT).spawn().unwrap();
    workspace.wait_for("runs");
    signal(&run, "KILL");
    run.wait().unwrap();
    let [record] = &records(workspace.path())[..] else { panic!() };
    wait_until("the lock", || File::open(record).unwrap().try_lock_shared().is_ok());
    sleep(Duration::from_millis(100));
    assert_ne!(events(record).last().unwrap(), "finished");
}
