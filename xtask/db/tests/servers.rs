//! Real servers: started, crashed, stopped, and gone without a trace.
//!
//! Where a machine has no server its tests are counted as ignored, and say so; with CI=true they fail instead.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skips"
)]

mod support;

use std::process::{Command, ExitCode};
use std::time::Duration;

use db_servers::{Source, find};
use libtest_mimic::{Arguments, Trial};
use support::{Owned, execute, execute_in, is_listening, port};
use xtask_db::{Backend, Options, Server};

type Test = fn(Backend);

fn main() -> ExitCode {
    // What a test that kills its owner kills: this program once more.
    if let Ok(backend) = std::env::var("PAUSED_SERVER") {
        support::own_a_paused_server(backend.parse().unwrap());
    }
    let tests: &[(&str, Test)] = &[
        ("starts_and_leaves_nothing", starts_and_leaves_nothing),
        ("is_known_by_its_authority_only", is_known_by_its_authority_only),
        ("keeps_what_it_acknowledged_over_a_crash", keeps_what_it_acknowledged_over_a_crash),
        ("stands_still_and_goes_on", stands_still_and_goes_on),
        ("ends_with_a_killed_owner", ends_with_a_killed_owner),
        ("ends_with_a_killed_owner_though_paused", ends_with_a_killed_owner_though_paused),
        ("a_given_server_gets_a_database_of_its_own", a_given_server_gets_a_database_of_its_own),
    ];
    let servers = [Backend::Postgres, Backend::Mysql];
    let here = servers.iter().flat_map(|backend| {
        let skip = match find(*backend) {
            Ok(Source::Programs(_)) => None,
            other => {
                Some(other.map_or_else(|missing| missing.to_string(), |source| format!("found {source}")))
            }
        };
        tests.iter().map(move |(name, test)| trial(name, *backend, skip.clone(), *test))
    });
    let container = servers.iter().map(|backend| {
        let skip = support::container(*backend).err();
        trial("runs_in_a_container", *backend, skip, runs_in_a_container)
    });
    let trials = here.chain(container).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, backend: Backend, skip: Option<String>, test: Test) -> Trial {
    let name = format!("{backend}::{name}");
    let in_ci = std::env::var_os("CI").is_some() && !name.contains("container");
    if let Some(why) = &skip {
        eprintln!("skipped: {name}: {why}");
    }
    Trial::test(name, move || {
        test(backend);
        Ok(())
    })
    .with_ignored_flag(skip.is_some() && !in_ci)
}

fn start(backend: Backend) -> Server {
    Server::start(backend, Options { fast: true }).unwrap()
}

fn starts_and_leaves_nothing(backend: Backend) {
    let server = start(backend);
    let folder = server.ca().unwrap().parent().unwrap().to_owned();
    let port = port(server.url());
    execute(server.url(), "CREATE TABLE t (i INTEGER)").unwrap();
    execute(server.url(), "CREATE DATABASE another").unwrap();
    assert!(!support::processes_in(&folder).is_empty());
    drop(server);
    assert!(!is_listening(port) && !folder.exists());
    assert_eq!(support::processes_in(&folder), Vec::<String>::new());
}

fn is_known_by_its_authority_only(backend: Backend) {
    let server = start(backend);
    let with = |host: &str, mode: &str, ca: &str| {
        let [mode_key, ca_key] = match backend {
            Backend::Postgres => ["sslmode", "sslrootcert"],
            _ => ["ssl-mode", "ssl-ca"],
        };
        let url = server.url().replace("127.0.0.1", host);
        execute(&format!("{url}?{mode_key}={mode}&{ca_key}={ca}"), "SELECT 1")
    };
    let [ca, other] = [server.ca(), server.other_ca()].map(|path| path.unwrap().to_str().unwrap());
    let verify = if backend == Backend::Postgres { "verify-full" } else { "verify_identity" };
    for host in ["127.0.0.1", "localhost"] {
        with(host, verify, ca).unwrap();
        let error = with(host, verify, other).unwrap_err();
        assert!(error.contains("certificate"), "{error}");
    }
    let plain = if backend == Backend::Postgres { "disable" } else { "disabled" };
    with("127.0.0.1", plain, ca).unwrap();
}

fn keeps_what_it_acknowledged_over_a_crash(backend: Backend) {
    let mut server = Server::start(backend, Options::default()).unwrap();
    let url = server.url().to_owned();
    execute(&url, "CREATE TABLE t (i INTEGER PRIMARY KEY)").unwrap();
    for i in 0..3 {
        execute(&url, &format!("INSERT INTO t VALUES ({i})")).unwrap();
        if i == 0 {
            server.stop().unwrap()
        } else {
            server.kill().unwrap()
        }
        assert!(!is_listening(port(&url)));
        assert!(server.kill().is_err(), "there was nothing to kill");
        server.start_again().unwrap();
        assert!(server.start_again().is_err(), "it runs already");
        // A value that is there already is refused.
        let error = execute(&url, &format!("INSERT INTO t VALUES ({i})")).unwrap_err();
        assert!(error.to_lowercase().contains("duplicate"), "{error}");
        assert_eq!(server.url(), url);
    }
}

fn stands_still_and_goes_on(backend: Backend) {
    let mut server = start(backend);
    let url = server.url().to_owned();
    server.pause().unwrap();
    let error = execute_in(Duration::from_millis(500), &url, "SELECT 1").unwrap_err();
    assert!(error.contains("deadline"), "{error}");
    server.resume().unwrap();
    execute(&url, "SELECT 1").unwrap();
    // What stands still can be stopped as well.
    server.pause().unwrap();
    server.stop().unwrap();
    server.start_again().unwrap();
    execute(&url, "SELECT 1").unwrap();
}

fn ends_with_a_killed_owner(backend: Backend) {
    let mut exec = support::exec(
        &["--backend", backend.name()],
        "echo $TEST_DATABASE_CA; while [ -e $TEST_DATABASE_CA ]; do sleep 0.1; done",
    );
    Owned::start(&mut exec).ends_with_its_owner();
}

fn ends_with_a_killed_owner_though_paused(backend: Backend) {
    let mut owner = Command::new(std::env::current_exe().unwrap());
    Owned::start(owner.env("PAUSED_SERVER", backend.name())).ends_with_its_owner();
}

fn a_given_server_gets_a_database_of_its_own(backend: Backend) {
    let server = start(backend);
    let variable = if backend == Backend::Postgres { "XTASK_POSTGRES_URL" } else { "XTASK_MYSQL_URL" };
    let mut exec = support::exec(&["--backend", backend.name()], "echo $TEST_DATABASE_URL$TEST_DATABASE_CA");
    let output = exec.env(variable, server.url()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let url = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let (before, name) = url.rsplit_once('/').unwrap();
    assert!(server.url().starts_with(before) && name.starts_with("throw_away_"), "{url}");
    let error = execute(&url, "SELECT 1").unwrap_err();
    assert!(error.contains(name), "the database is still there: {error}");
}

fn runs_in_a_container(backend: Backend) {
    let source = support::container(backend).unwrap();
    let mut server = Server::start_from(&source, backend, Options::default()).unwrap();
    let url = server.url().to_owned();
    execute(&url, "CREATE TABLE t (i INTEGER)").unwrap();
    server.kill().unwrap();
    assert!(!is_listening(port(&url)));
    server.start_again().unwrap();
    server.pause().unwrap();
    execute_in(Duration::from_millis(500), &url, "SELECT 1").unwrap_err();
    server.resume().unwrap();
    server.stop().unwrap();
    server.start_again().unwrap();
    execute(&url, "INSERT INTO t VALUES (1)").unwrap();
    let folder = server.ca().unwrap().parent().unwrap().to_owned();
    drop(server);
    assert!(!is_listening(port(&url)) && !folder.exists());
}
