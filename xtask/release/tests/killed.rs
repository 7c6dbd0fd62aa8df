//! Runs that are killed at any moment: what they leave is as before, finished, or put right by the next one.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::Repository;

/// How many moments are tried.
const MOMENTS: u32 = 20;

/// Runs the program in a process group, and kills that after a while.
fn kill_after(repository: &Repository, args: &[&str], time: Duration) {
    let mut run = repository.program(args).stdout(Stdio::null()).process_group(0).spawn().unwrap();
    sleep(time);
    let group = format!("-{}", run.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    run.wait().unwrap();
    // What git holds while it writes stays when it is killed, and git then says to remove it.
    for lock in
        ["index.lock", "HEAD.lock", "refs/heads/main.lock", "refs/tags/v0.2.0.lock", "packed-refs.lock"]
    {
        let _ = std::fs::remove_file(repository.top().join(".git").join(lock));
    }
}

fn repository() -> Repository {
    let repository = Repository::new();
    repository.write("CHANGELOG.md", "# Changelog\n\n## [0.1.0]\n");
    repository.git(&["add", "."]);
    repository.commit("Say more");
    repository.tag("v0.1.0");
    repository.commit("feat!: a");
    repository
}

/// All but the hash of a commit, which knows its time, and what git has of it.
fn outcome(repository: &Repository) -> String {
    let state = repository.state();
    let (_, files) = state.split_once("refs/").unwrap();
    let (_, files) = files.split_once("\n\n").unwrap();
    format!("{}{files}", repository.git(&["log", "--format=%s%d"]))
}

#[test]
fn a_release_that_is_killed_is_made_or_taken_back() {
    let whole = repository();
    let before = outcome(&whole);
    let start = Instant::now();
    whole.succeed(&["--execute"]);
    let (time, after) = (start.elapsed(), outcome(&whole));
    assert_ne!(before, after);
    for moment in 0..MOMENTS {
        let at = time * moment / MOMENTS;
        let repository = repository();
        kill_after(&repository, &["--execute"], at);
        let proposal = repository.run(&[]).said;
        if moment % 2 == 0 {
            repository.succeed(&["--execute"]);
            assert_eq!(outcome(&repository), after, "{at:?}: {proposal}");
            continue;
        }
        let is_there = proposal.contains("interrupted") || proposal.contains("has no tag");
        if is_there || outcome(&repository) == after {
            repository.succeed(&["--undo"]);
        }
        assert_eq!(outcome(&repository), before, "{at:?}: {proposal}");
    }
}

#[test]
fn an_undo_that_is_killed_is_gone_on_with() {
    let before = outcome(&repository());
    let whole = repository();
    whole.succeed(&["--execute"]);
    let start = Instant::now();
    whole.succeed(&["--undo"]);
    let time = start.elapsed();
    assert_eq!(outcome(&whole), before);
    for moment in 0..MOMENTS / 2 {
        let at = time * (2 * moment + 1) / MOMENTS;
        let repository = repository();
        repository.succeed(&["--execute"]);
        kill_after(&repository, &["--undo"], at);
        if outcome(&repository) != before {
            repository.succeed(&["--undo"]);
        }
        assert_eq!(outcome(&repository), before, "{at:?}");
    }
}
