//! The command line, the settings' places, and what is said, with which exit code, when it cannot start.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, net::TcpListener, process::Output};

use support::{Service, app, database::TestDatabase};
use tempfile::TempDir;

/// Runs it to its end with arguments; gives the exit code, and what it printed and complained.
fn run(folder: &TempDir, environment: &[(&str, &str)], arguments: &str) -> (i32, String, String) {
    let mut command = app(folder.path(), environment);
    let Output { status, stdout, stderr } = command.args(arguments.split_whitespace()).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn it_tells_what_it_is_and_what_it_can_do() {
    let folder = TempDir::new().unwrap();
    let (code, version, _) = run(&folder, &[], "--version");
    let backend = app::db::BACKEND;
    assert!(
        code == 0 && version.starts_with(&format!("app {} ({backend}", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );

    let (code, help, _) = run(&folder, &[], "--help");
    assert!(code == 0 && help.starts_with("Usage: app "), "{help}");
    assert!(help.lines().all(|line| line.chars().count() < 110) && help.lines().count() < 40);

    let complaint = "app: unknown argument `--verison`; `app --help` lists what there is\n";
    assert_eq!(run(&folder, &[], "--verison"), (2, String::new(), complaint.to_owned()));
}

#[test]
fn settings_can_be_checked_without_a_start() {
    let folder = TempDir::new().unwrap();
    let fine = (0, "the settings are valid\n".to_owned(), String::new());
    assert_eq!(run(&folder, &[], "--check-config --server.port=1"), fine);
    assert!(!folder.path().join("data").exists(), "the database was touched");

    let complaint = "app: APP__SERVER__PORT: invalid type: string \"http\", expected u16 in `server.port`\n";
    let environment = [("APP__SERVER__PORT", "http")];
    assert_eq!(run(&folder, &environment, "--check-config"), (2, String::new(), complaint.to_owned()));

    let (code, _, complaint) = run(&folder, &[], "--check-config --server.tls.certificate=nowhere.pem");
    assert_eq!(code, 4);
    assert!(complaint.contains("nowhere.pem: server.tls needs both"), "{complaint}");
}

#[test]
fn files_are_found_and_named() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    write("config/app.toml", "[server]\nprot = 9000\n");
    let (code, _, complaint) = run(&folder, &[], "--check-config");
    assert_eq!(code, 2);
    assert!(complaint.starts_with("app: config/app.toml, line 2: unknown field `prot`"), "{complaint}");

    write("config/app.toml", "");
    write("config/app.test.toml", "[server]\nport = 'x'\n");
    let complaint = |environment: &[_]| run(&folder, environment, "--check-config").2;
    let found = complaint(&[("APP_ENV", "test")]);
    assert!(found.starts_with("app: config/app.test.toml, line 2: invalid type: string"), "{found}");
    let found = complaint(&[("APP_ENV", "tset")]);
    assert!(found.starts_with("app: APP_ENV: cannot read config/app.tset.toml: No such file"), "{found}");

    write("other.toml", "[log]\nfilter = 'loud=very'\n");
    let found = complaint(&[("APP_CONFIG", "other.toml")]);
    assert!(found.starts_with("app: other.toml, line 2: error parsing level filter"), "{found}");
}

#[test]
fn a_busy_port_ends_it_with_3_before_the_database_is_touched() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (busy, other) in [("server", "admin"), ("admin", "server")] {
        let flags = format!("--{busy}.host=127.0.0.1 --{busy}.port={port} --{other}.port=0");
        let (code, _, complaint) = run(&folder, &[], &flags);
        assert_eq!(code, 3, "{complaint}");
        assert!(complaint.contains(&format!("app: cannot listen on 127.0.0.1:{port}: ")), "{complaint}");
    }
    assert!(!folder.path().join("data").exists(), "the database was touched");
}

#[test]
fn databases_that_cannot_be_used_have_their_own_exit_codes() {
    let folder = TempDir::new().unwrap();
    let database = TestDatabase::create();
    let url = format!("--database.url={}", database.url);
    let serve = format!("--server.port=0 --admin.port=0 {url}");

    let by_hand = run(&folder, &[], &format!("{serve} --database.migrate=false"));
    assert_eq!(by_hand.0, 6, "{}", by_hand.2);
    assert!(
        by_hand.2.contains("migration 0001 create notes is not applied; run `app migrate`"),
        "{}",
        by_hand.2
    );
    let migrated = run(&folder, &[], &format!("migrate {url}"));
    assert_eq!((migrated.0, migrated.1.as_str()), (0, "applied 1 migration: 0001 create notes\n"));
    let again = run(&folder, &[], &format!("migrate {url}"));
    assert_eq!((again.0, again.1.as_str()), (0, "applied 0 migrations: the tables are up to date\n"));

    database.execute("UPDATE _sqlx_migrations SET success = false");
    assert_eq!(run(&folder, &[], &serve).0, 7);
    database.execute("UPDATE _sqlx_migrations SET success = true, version = 9999");
    assert_eq!(run(&folder, &[], &serve).0, 6);

    fs::write(folder.path().join("file"), "").unwrap();
    let unusable = match app::db::BACKEND {
        // template: if "sqlite" in backends
        // Below a regular file, so that it fails for root as well.
        "sqlite" => "sqlite://file/notes/app.db".to_owned(),
        // template: end
        other => format!("{other}://user:hunter2@127.0.0.1:1/app"),
    };
    let flags = "--server.port=0 --admin.port=0 --database.connect_timeout=0.1 --database.url";
    let (code, _, complaint) = run(&folder, &[], &format!("{flags} {unusable}"));
    assert_eq!(code, 5, "{complaint}");
    assert!(
        complaint.contains("app: cannot open the database ") && !complaint.contains("hunter2"),
        "{complaint}"
    );
}

#[test]
fn a_healthcheck_asks_the_admin_port() {
    let folder = TempDir::new().unwrap();
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__DRAIN_TIME", "1")]);
    let (host, port) = service.admin.split_once(':').unwrap();
    let healthcheck = format!("healthcheck --admin.host={host} --admin.port={port}");
    assert_eq!(run(&folder, &[], &healthcheck), (0, String::new(), String::new()));

    service.signal("TERM");
    std::thread::sleep(std::time::Duration::from_millis(100));
    let (code, _, complaint) = run(&folder, &[], &healthcheck);
    assert_eq!(
        (code, complaint),
        (1, format!("app: the service at {} is not ready: it answered 503\n", service.admin))
    );
    drop(service);
    let (code, _, complaint) = run(&folder, &[], &healthcheck);
    assert!(code == 1 && complaint.contains("refused"), "{complaint}");
}
