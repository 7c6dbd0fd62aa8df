//! The runner through the command line: `check` with small programs in the places of cargo and xtask-db.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod workspace;

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use workspace::{Workspace, check_documented, signal, stderr, wait_until};

/// A gate of two steps that do not need each other: `cargo fmt` and `cargo clippy`.
const TWO: &str = "--only=format,clippy-pipeline";

const SLEEPERS: &str = "echo $$ >> pids; sleep 60 & echo $! >> pids; echo started; touch started-$1; wait";

#[test]
fn independent_steps_run_at_once() {
    let workspace = Workspace::with(
        "touch at-$1; case $1 in fmt) other=clippy;; clippy) other=fmt;; *) exit 0;; esac
         for i in $(seq 100); do [ -e at-$other ] && exit 0; sleep 0.1; done; exit 1",
    );
    let output = workspace.run(&["check", TWO, "-j", "2"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn one_job_runs_one_step_after_the_other() {
    let workspace = Workspace::with("echo begin >> log; sleep 0.1; echo end >> log");
    assert!(workspace.run(&["check", TWO, "-j", "1"]).status.success());
    assert_eq!(workspace.read("log"), "begin\nend\n".repeat(2));
}

#[test]
fn an_inherited_jobserver_is_joined() {
    let workspace =
        Workspace::with("echo \"$CARGO_MAKEFLAGS\" >> flags; echo begin >> log; sleep 0.1; echo end >> log");
    // Without a single token there is only the slot that the run itself has.
    let client = jobserver::Client::new(0).unwrap();
    let mut xtask = workspace.xtask(&["check", TWO, "-j", "2"]);
    client.configure(&mut xtask);
    assert!(xtask.output().unwrap().status.success());
    assert_eq!(workspace.read("log"), "begin\nend\n".repeat(2));
    assert!(workspace.read("flags").contains("--jobserver-auth="), "{}", workspace.read("flags"));
}

#[test]
fn lines_come_with_the_name_of_their_step() {
    let workspace = Workspace::with("echo \"out of $1\"; echo \"err of $1\" >&2; printf 'caf\\351\\n'");
    let text = stderr(&workspace.run(&["check", TWO]));
    for line in ["format | out of fmt", "clippy-pipeline | err of clippy", "clippy-pipeline | caf\u{fffd}"] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
}

#[test]
fn the_first_failure_stops_the_others_and_gives_its_exit_code() {
    let workspace = Workspace::with(&format!(
        "[ $1 = fmt ] || {{ while [ ! -e started-fmt ]; do sleep 0.05; done; echo 'it broke'; exit 7; }}; {SLEEPERS}"
    ));
    let began = Instant::now();
    let output = workspace.run(&["check", TWO, "-j", "2"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(began.elapsed() < Duration::from_secs(10), "the other step was not asked to end");
    assert_eq!(workspace.processes_left(), Vec::<String>::new());
    let last = text.lines().last().unwrap();
    assert_eq!(
        last,
        "error: step `clippy-pipeline` failed with exit code 7: cargo xtask check --only clippy-pipeline"
    );
}

#[test]
fn the_failed_steps_lines_are_shown_again_only_when_they_are_out_of_sight() {
    let in_sight = Workspace::with("[ $1 = clippy ] || exit 0; sleep 0.2; echo 'it broke'; exit 1");
    assert_eq!(stderr(&in_sight.run(&["check", TWO])).matches("it broke").count(), 1);

    let hidden = Workspace::with(
        "[ $1 = clippy ] && { echo 'it broke'; touch said; while [ ! -e over ]; do sleep 0.02; done; exit 1; }
         while [ ! -e said ]; do sleep 0.02; done; sleep 0.2; echo more; sleep 0.2; touch over",
    );
    assert_eq!(stderr(&hidden.run(&["check", TWO, "-j", "2"])).matches("it broke").count(), 2);
    assert_eq!(stderr(&in_sight.run(&["check", TWO, "--quiet"])).matches("it broke").count(), 1);
}

#[test]
fn ctrl_c_ends_every_process() {
    let workspace = Workspace::with(SLEEPERS);
    let xtask = workspace.xtask(&["check", TWO, "-j", "2"]).spawn().unwrap();
    workspace.wait_for("started-fmt");
    workspace.wait_for("started-clippy");
    signal(&xtask, "INT");
    let output = xtask.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_eq!(workspace.processes_left(), Vec::<String>::new());
}

#[test]
fn a_process_that_ignores_signals_is_killed() {
    let workspace = Workspace::with(
        "[ $1 = fmt ] || exit 0; trap '' INT TERM; echo $$ >> pids; touch started; while :; do sleep 0.1; done",
    );
    let xtask = workspace.xtask(&["check", TWO]).spawn().unwrap();
    workspace.wait_for("started");
    signal(&xtask, "TERM");
    let began = Instant::now();
    let output = xtask.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
    assert!(began.elapsed() > Duration::from_secs(3), "it had no time to end by itself");
    assert_eq!(workspace.processes_left(), Vec::<String>::new());
}

#[test]
fn a_second_ctrl_c_kills_at_once() {
    let workspace = Workspace::with(
        "[ $1 = fmt ] || exit 0; trap '' INT TERM; echo $$ >> pids; touch started; while :; do sleep 0.1; done",
    );
    let xtask = workspace.xtask(&["check", TWO]).spawn().unwrap();
    workspace.wait_for("started");
    let began = Instant::now();
    signal(&xtask, "INT");
    sleep(Duration::from_millis(200));
    signal(&xtask, "INT");
    let output = xtask.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(workspace.processes_left(), Vec::<String>::new());
}

#[test]
fn a_killed_runner_leaves_no_process() {
    let workspace = Workspace::with(SLEEPERS);
    let mut xtask = workspace.xtask(&["check", TWO, "-j", "2"]).spawn().unwrap();
    workspace.wait_for("started-fmt");
    workspace.wait_for("started-clippy");
    signal(&xtask, "KILL");
    xtask.wait().unwrap();
    wait_until("the watchdog", || workspace.processes_left().is_empty());
}

#[test]
fn a_second_build_waits_for_the_first() {
    let workspace = Workspace::with(SLEEPERS);
    let build = ["build", "--linker", "host", "--platform", host_platform()];
    let first = workspace.xtask(&build).spawn().unwrap();
    workspace.wait_for("started-build");
    let second = workspace.xtask(&build).spawn().unwrap();
    sleep(Duration::from_millis(500));
    signal(&second, "INT");
    let output = second.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(stderr(&output), "note: waiting for another `cargo xtask` that builds in this folder\n");
    signal(&first, "INT");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(130));
}

fn host_platform() -> &'static str {
    if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" }
}

#[test]
fn quiet_shows_nothing_when_all_is_well() {
    let output = Workspace::with("echo noise").run(&["check", TWO, "--quiet"]);
    assert!(output.status.success());
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&[][..], &[][..]));
}

#[test]
fn without_a_terminal_there_are_no_colours() {
    let output = Workspace::with("echo \"CARGO_TERM_COLOR=$CARGO_TERM_COLOR\"").run(&["check", TWO]);
    let text = stderr(&output);
    assert!(text.contains("CARGO_TERM_COLOR=never") && !text.contains('\x1b'), "{text:?}");
}

#[test]
fn events_are_json_lines_that_the_documentation_describes() {
    let output =
        Workspace::with("echo 'a \"line\"'").run(&["check", TWO, "-j", "1", "--message-format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let events =
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect::<Vec<_>>();
    let names = events.iter().map(|event| event["event"].as_str().unwrap()).collect::<Vec<_>>();
    let step = ["step-started", "output", "step-finished"];
    assert_eq!(names, [&step[..], &step, &["finished"]].concat());
    assert!(events.iter().all(|event| event["v"] == 1));
    assert_eq!(events[1]["line"], "a \"line\"");
    check_documented(&events);
}

#[test]
fn a_program_that_is_missing_is_named() {
    let workspace = Workspace::with("");
    fs::remove_file(workspace.path().join("cargo")).unwrap();
    let output = workspace.xtask(&["check", TWO]).env("PATH", workspace.path()).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(127), "{text}");
    assert!(
        text.contains("cannot start `cargo` of step `format`; `cargo xtask doctor` shows what is missing"),
        "{text}"
    );
}

#[test]
fn much_output_neither_blocks_nor_fills_memory() {
    let workspace = Workspace::with(
        "[ $1 = fmt ] && head -c 20000000 /dev/zero | tr '\\0' 'x' && yes | head -n 20000; exit 0",
    );
    let output = workspace.run(&["check", TWO, "--quiet"]);
    assert!(output.status.success(), "{}", stderr(&output));
}
