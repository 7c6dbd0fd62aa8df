//! The command line: what the command beside a server gets, and what becomes of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn xtask_db(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-db"));
    command.args(args);
    for name in ["DATABASE_URL", "SQLX_OFFLINE", "SQLX_OFFLINE_DIR", "TEST_DATABASE_CA"] {
        command.env_remove(name);
    }
    command
}

/// A script beside SQLite, which needs nothing installed.
fn exec(flags: &[&str], script: &str) -> Command {
    xtask_db(&[&["exec", "--backend", "sqlite"], flags, &["--", "sh", "-c", script]].concat())
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_exit_code_is_the_commands() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -s KILL $$", 137)] {
        assert_eq!(exec(&[], script).status().unwrap().code(), Some(code), "{script}");
    }
}

#[test]
fn a_signal_is_handed_on_and_the_database_goes() {
    let script = "trap 'echo got it; exit 5' TERM; echo $TEST_DATABASE_URL; while :; do sleep 0.05; done";
    let mut child = exec(&[], script).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let file = url.strip_prefix("sqlite://").unwrap().split('?').next().unwrap();
    let folder = Path::new(file).parent().unwrap();
    assert!(folder.is_dir());
    assert!(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(lines.next().as_deref(), Some("got it"));
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert!(!folder.exists());
}

#[test]
fn the_macros_are_switched_on_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let queries = folder.path().join("a/b");
    fs::create_dir_all(&queries).unwrap();
    fs::write(queries.join("query-old.json"), "{}").unwrap();
    let script = r#"echo "${DATABASE_URL-unset}|${SQLX_OFFLINE-unset}|${SQLX_OFFLINE_DIR-unset}""#;
    let output = exec(&[], script).output().unwrap();
    assert_eq!(stdout(&output), "unset|unset|unset\n");

    let output = exec(&["--queries", queries.to_str().unwrap()], script).output().unwrap();
    let text = stdout(&output);
    let fields = text.trim().split('|').collect::<Vec<_>>();
    assert!(fields[0].starts_with("sqlite:///"), "{text}");
    assert_eq!(fields[1..], ["false", queries.to_str().unwrap()]);
    assert_eq!(fs::read_dir(&queries).unwrap().count(), 0);
}

#[test]
fn migrations_have_run_before_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let migration = folder.path().join("0001_first.sql");
    fs::write(&migration, "CREATE TABLE notes (id INTEGER PRIMARY KEY);").unwrap();
    let flags = ["--migrate", folder.path().to_str().unwrap()];
    // The name of a table is in SQLite's file as it stands.
    let script = "file=${TEST_DATABASE_URL#sqlite://}; grep -c 'CREATE TABLE notes' \"${file%%\\?*}\"";
    let output = exec(&flags, script).output().unwrap();
    assert_eq!(stdout(&output), "1\n", "{}", stderr(&output));

    fs::write(&migration, "CREATE TABEL notes;").unwrap();
    let output = exec(&flags, "echo it ran").output().unwrap();
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    let text = stderr(&output);
    assert!(text.starts_with("error: cannot migrate by ") && text.contains("TABEL"), "{text}");
}

#[test]
fn mistakes_are_named() {
    for (args, code, message) in [
        (&["exec", "--backend", "oracle", "--", "true"][..], 2, "no database is named `oracle`"),
        (&["exec", "--backend", "sqlite"], 2, "<COMMAND>..."),
        (
            &["exec", "--backend", "sqlite", "--", "no-such-program"],
            1,
            "error: cannot start `no-such-program`",
        ),
        (
            &["exec", "--backend", "sqlite", "--migrate", "/nowhere", "--", "true"],
            1,
            "error: cannot read /nowhere",
        ),
    ] {
        let output = xtask_db(args).output().unwrap();
        let text = stderr(&output);
        assert!(output.status.code() == Some(code) && text.contains(message), "{args:?}: {text}");
    }
}

#[test]
fn a_stale_cache_is_described_and_then_replaced() {
    let root = tempfile::tempdir().unwrap();
    let [fresh, kept] = ["fresh", "kept"].map(|name| root.path().join(name));
    for (folder, file, sql) in
        [(&fresh, "query-a.json", "SELECT 1\\nFROM notes"), (&kept, "query-b.json", "SELECT 2")]
    {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join(file), format!("{{\"query\": \"{sql}\"}}")).unwrap();
    }
    let [fresh, kept] = [&fresh, &kept].map(|path| path.to_str().unwrap());
    let check = || xtask_db(&["queries", "check", "--repair", "make it", fresh, kept]).output().unwrap();
    let output = check();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        format!(
            "error: {kept} is out of date; `make it` renews it\n  missing: SELECT 1 (query-a.json)\n  \
             superfluous: SELECT 2 (query-b.json)\n"
        )
    );
    for expected in ["1 added, 0 renewed, 1 removed", "up to date"] {
        let output = xtask_db(&["queries", "replace", fresh, kept]).output().unwrap();
        assert_eq!(stderr(&output), format!("{kept}: {expected}\n"));
    }
    let output = check();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}
