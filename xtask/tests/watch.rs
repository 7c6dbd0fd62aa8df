//! `watch`, with small programs in the places of the runs that its stages are, of docker, and of the service.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "watch/watched.rs"]
mod watched;
mod workspace;

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use watched::{DOCKER, SERVICE, Watched};
use workspace::{check_documented, signal, stderr, wait_until};

#[test]
fn a_save_runs_the_stages_in_their_order_and_then_the_new_version() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    watched.write("source", "two");
    watched.wait_for_log("lint\ntest\nbd\ndown\nup two\n");
    let output = watched.end();
    let text = stderr(&output);
    assert!(text.starts_with("note: watching "), "{text}");
    for line in [
        "      lint > the service is formatted and has no lints",
        "changed: source",
        "       run | listening",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is missing:\n{text}");
    }
}

#[test]
fn a_red_stage_stops_those_after_it_and_leaves_the_old_version_running() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    for (red, expected) in [("lint", "lint\n"), ("test", "lint\ntest\n"), ("bd", "lint\ntest\nbd\n")] {
        let mark = format!("target/{red}-red");
        watched.write(&mark, "");
        watched.write("source", red);
        let expected = format!("{expected}{red} red\n");
        watched.wait_for_log(&expected);
        sleep(Duration::from_millis(300));
        watched.wait_for_log(&expected);
        fs::remove_file(watched.workspace.path().join(mark)).unwrap();
        fs::remove_file(watched.workspace.path().join("target/log")).unwrap();
    }
    watched.write("source", "good");
    watched.wait_for_log("lint\ntest\nbd\ndown\nup good\n");
    let text = stderr(&watched.end());
    assert_eq!(text.matches("`lint`; waiting for a change").count(), 1, "{text}");
}

#[test]
fn a_change_while_a_stage_runs_cancels_it_and_begins_anew() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    watched.write("target/test-slow", "");
    watched.write("source", "two");
    watched.workspace.wait_for("target/test-waits");
    fs::remove_file(watched.workspace.path().join("target/test-slow")).unwrap();
    watched.write("source", "three");
    watched.wait_for_log("lint\ntest\ntest cancelled\nlint\ntest\nbd\ndown\nup three\n");
    watched.end();
}

#[test]
fn many_saves_in_quick_succession_make_one_run() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    for n in 1..=20 {
        watched.write("source", &n.to_string());
        sleep(Duration::from_millis(5));
    }
    watched.wait_for_log("lint\ntest\nbd\ndown\nup 20\n");
    sleep(Duration::from_secs(1));
    watched.wait_for_log("lint\ntest\nbd\ndown\nup 20\n");
    watched.end();
}

#[test]
fn what_does_not_matter_makes_no_run() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    watched.write("target/other", "new");
    fs::create_dir(watched.workspace.path().join("data")).unwrap();
    watched.write("data/app.db", "rows");
    watched.write("README.md", "new");
    watched.write(".git/some", "new");
    // The same again, and something that is taken back at once.
    watched.write("source", "one");
    watched.write("config/pipeline.toml.new", "a");
    fs::remove_file(watched.workspace.path().join("config/pipeline.toml.new")).unwrap();
    watched.check_quiet();
    // New files that are not ignored do matter, also in a new folder.
    fs::create_dir_all(watched.workspace.path().join("app/src")).unwrap();
    watched.write("app/src/new.rs", "");
    // The image is as it was, and so the service is not disturbed.
    watched.wait_for_log("lint\ntest\nbd\n");
    sleep(Duration::from_millis(300));
    watched.wait_for_log("lint\ntest\nbd\n");
    watched.end();
}

#[test]
fn without_git_only_the_folders_that_it_would_ignore_are_left_out() {
    let mut watched = Watched::folder().watch(&["--run", "process"]);
    watched.write("target/other", "new");
    fs::create_dir(watched.workspace.path().join("data")).unwrap();
    watched.write("data/app.db", "rows");
    watched.check_quiet();
    watched.write("source", "two");
    watched.wait_for_log("lint\ntest\nbd\ndown\nup two\n");
    watched.end();
}

#[test]
fn a_container_is_ended_by_the_runtime() {
    let watched = Watched::repository();
    watched.workspace.program("docker", DOCKER);
    let mut watched = watched.watch(&[]);
    watched.write("source", "two");
    watched.wait_for_log("lint\ntest\nbd\ndown\nup two\n");
    let run = "run --name app-watch --rm --read-only --volume app-data:/app/data --publish 8080:8080 \
               --publish 9090:9090 galley:0.1.0\n";
    assert_eq!(watched.workspace.read("target/docker"), format!("{run}stop app-watch\n{run}"));
    let said = stderr(&watched.end());
    assert!(
        said.contains("note: started: http://localhost:8080/docs http://localhost:9090/metrics\n"),
        "{said}"
    );
}

#[test]
fn ctrl_c_ends_the_stage_that_runs_and_the_service() {
    let watched = Watched::repository();
    watched.workspace.program("docker", DOCKER);
    let mut watched = watched.watch(&["--run", "container"]);
    watched.write("target/bd-slow", "");
    watched.write("source", "two");
    watched.workspace.wait_for("target/bd-waits");
    // As of a container that is only being made.
    watched.write("target/stop-red", "");
    watched.end();
    assert_eq!(watched.workspace.read("target/docker").matches("stop app-watch").count(), 2);
    let log = watched.log();
    assert!(log.ends_with("\nbd cancelled\ndown\n") || log.ends_with("\ndown\nbd cancelled\n"), "{log}");
}

#[test]
fn a_second_ctrl_c_kills_at_once() {
    let watched = Watched::repository();
    let deaf = "echo $$ >> target/pids; echo 'up one' >> target/log; trap 'echo deaf >> target/log' TERM";
    watched.workspace.program("service", &format!("{deaf}; while :; do sleep 0.05; done"));
    let mut watched = watched.watch(&["--run", "process"]);
    let began = Instant::now();
    signal(watched.xtask.as_ref().unwrap(), "INT");
    watched.wait_for_log("deaf\n");
    watched.end();
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_dry_run_starts_nothing() {
    let watched = Watched::repository();
    let output = watched.command(&["--run", "none", "--dry-run"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nxtask bd --backend sqlite\n"), "{text}");
    assert_eq!(watched.log(), "");
}

#[test]
fn a_watch_that_is_killed_leaves_nothing() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    watched.write("target/test-slow", "");
    watched.write("source", "two");
    watched.workspace.wait_for("target/test-waits");
    let mut xtask = watched.xtask.take().unwrap();
    signal(&xtask, "KILL");
    xtask.wait().unwrap();
    wait_until("the watchdog", || watched.processes_left().is_empty());
}

#[test]
fn a_service_that_does_not_start_is_said_and_started_after_the_next_change() {
    let mut watched = Watched::repository();
    watched.workspace.program("service", "echo \"cannot listen\"; echo gone >> target/log; exit 3");
    watched.xtask = Some(watched.command(&["--run", "process"]).spawn().unwrap());
    watched.wait_for_log("lint\ntest\nbd\ngone\n");
    fs::remove_file(watched.workspace.path().join("target/log")).unwrap();
    watched.workspace.program("service", SERVICE);
    watched.wait_for_log("lint\ntest\nbd\nup one\n");
    let text = stderr(&watched.end());
    assert!(
        text.contains("error: the service ended with exit code 3; the next change starts it again\n"),
        "{text}"
    );
    assert!(text.contains("       run | cannot listen\n"), "{text}");
}

#[test]
fn a_broken_configuration_is_said_and_watched_on() {
    let mut watched = Watched::repository().watch(&["--run", "process"]);
    let pipeline = watched.workspace.read("config/pipeline.toml");
    watched.write("config/pipeline.toml", &pipeline.replace("[image]", "[image"));
    watched.check_quiet();
    watched.write("config/pipeline.toml", &pipeline.replace("[image]", "[image] # as it was"));
    watched.wait_for_log("lint\ntest\nbd\n");
    let text = stderr(&watched.end());
    assert!(text.contains("error: config/pipeline.toml is not right: "), "{text}");
}

#[test]
fn events_are_json_lines_that_the_documentation_describes() {
    let mut watched = Watched::repository().watch(&["--run", "process", "--message-format", "json"]);
    watched.write("target/test-red", "");
    watched.write("source", "two");
    watched.wait_for_log("lint\ntest\ntest red\n");
    sleep(Duration::from_secs(1));
    let output = watched.end();
    let text = String::from_utf8(output.stdout).unwrap();
    let events =
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect::<Vec<_>>();
    check_documented(&events);
    let (lines, events) = events.into_iter().partition::<Vec<_>, _>(|event| event["event"] == "output");
    assert_eq!((&lines[0]["step"], &lines[0]["line"]), (&"run".into(), &"listening".into()));
    let names = events.iter().map(|event| event["event"].as_str().unwrap()).collect::<Vec<_>>();
    let stage = "stage-started";
    let first = ["note", stage, stage, stage, "cycle-finished", "note"];
    let second = ["changed", stage, stage, "cycle-finished", "note", "finished"];
    assert_eq!(names, [&first[..], &second].concat());
    assert_eq!(events[6]["paths"][0], "source");
    assert_eq!((&events[9]["outcome"], &events[9]["stage"]), (&"failed".into(), &"test".into()));
}
