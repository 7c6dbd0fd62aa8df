//! Steps that a machine cannot run: shown, never counted as passed, and in continuous integration a failure.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod workspace;

use workspace::{Workspace, check_documented, stderr};

/// The service alone.
const SERVICE: &str = "--only=oracle,sqlite";

/// No machine has a server for it.
const UNHEARD_OF: &str = r#"["oracle", "sqlite"]"#;

#[test]
fn a_step_that_cannot_run_here_is_shown_and_holds_up_no_other() {
    let workspace = Workspace::for_backends(UNHEARD_OF, "echo \"$@\" >> log");
    let output = workspace.run(&["check", SERVICE, "--quiet"]);
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    let warning = "warning: step `test-oracle` is skipped (all tests of the service for oracle pass): no database is \
                   named `oracle`; there is sqlite, postgres, mysql\n";
    assert!(text.contains(warning) && text.lines().count() == 2, "{text}");
    let log = workspace.read("log");
    let of = |backend: &str| log.lines().filter(|line| line.contains(backend)).collect::<Vec<_>>();
    assert!(of("db_oracle").iter().all(|line| line.contains("--no-run")), "{log}");
    assert!(of("db_sqlite").iter().any(|line| !line.contains("--no-run")), "{log}");

    let text = stderr(&workspace.run(&["check", SERVICE]));
    assert!(text.contains("\n  test-oracle          -   skipped\n"), "{text}");
}

#[test]
fn a_skipped_step_is_an_event_and_part_of_the_plan() {
    let workspace = Workspace::for_backends(UNHEARD_OF, "");
    let run = |args: &[&str]| {
        let output = workspace.run(&[args, &["--message-format", "json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let events = run(&["check", SERVICE]);
    let skipped = events.iter().filter(|event| event["event"] == "step-skipped").collect::<Vec<_>>();
    assert_eq!(skipped.len(), 2);
    assert_eq!(skipped[0]["step"], "sqlx-oracle");
    check_documented(&events);

    let plan = run(&["check", SERVICE, "--dry-run"]).remove(0);
    let step = plan["steps"].as_array().unwrap().iter().find(|step| step["name"] == "sqlx-oracle").unwrap();
    assert_eq!(step["skip"], skipped[0]["reason"]);
    check_documented(std::slice::from_ref(step));
}

#[test]
fn in_continuous_integration_a_missing_database_is_a_failure() {
    let workspace = Workspace::for_backends(UNHEARD_OF, "touch ran");
    let output = workspace.xtask(&["check", SERVICE]).env("CI", "true").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: no database is named `oracle`"), "{}", stderr(&output));
    assert!(!workspace.path().join("ran").exists());
}
