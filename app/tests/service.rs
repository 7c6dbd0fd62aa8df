//! The real binary: its life from start to signal, and what it says when it cannot start.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Output,
    thread,
    time::Duration,
};

use serde_json::json;
use support::{Service, app};
use tempfile::TempDir;

/// A container engine kills after ten seconds by default; nobody wants to wait that long.
const PROMPTLY: Duration = Duration::from_secs(2);

/// A request whose last byte has not been sent yet.
fn start_request(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n{\"title\":\"t\",\"body\":\"\"")
        .unwrap();
    // Nothing tells from outside that the server has read it.
    thread::sleep(Duration::from_millis(100));
    stream
}

fn run(folder: &TempDir, environment: &[(&str, &str)], argument: Option<&str>) -> (i32, String, String) {
    let Output { status, stdout, stderr } = app(folder.path(), environment).args(argument).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_note_outlives_a_restart() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &[]);
    assert_eq!(service.call("GET", "/healthz", None).0, 200);
    assert_eq!(service.call("GET", "/readyz", None).0, 200);
    assert_eq!(service.call("GET", "/notes/1", None).0, 404);

    let (status, note) = service.call("POST", "/notes", Some(json!({"title": "Kept", "body": "here"})));
    assert_eq!(status, 201);
    assert_eq!(service.call("POST", "/notes", Some(json!({"title": "Gone", "body": ""}))).0, 201);
    assert_eq!(service.call("DELETE", "/notes/2", None).0, 204);
    service.signal("TERM");
    assert!(service.wait().0.success());
    assert!(folder.path().join("data/app.db").is_file());

    let service = Service::start(folder.path(), &[]);
    assert_eq!(service.call("GET", "/notes/1", None), (200, note.clone()));
    assert_eq!(service.call("GET", "/notes", None), (200, json!({"notes": [note], "next": null})));
}

#[test]
fn notes_created_at_once_are_all_there() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &[]);
    let create = || service.call("POST", "/notes", Some(json!({"title": "t", "body": "b"})));

    let ids: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..5).map(|_| create()).collect::<Vec<_>>())).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|(status, _)| *status == 201), "{ids:?}");
    let ids: BTreeSet<_> = ids.iter().map(|(_, note)| note["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 40);

    let (_, page) = service.call("GET", "/notes?limit=100", None);
    let listed = page["notes"].as_array().unwrap().iter().map(|note| note["id"].as_i64().unwrap());
    assert!(listed.eq(ids));
}

#[test]
fn a_signal_stops_it_promptly_with_idle_connections_open() {
    for signal in ["TERM", "INT"] {
        let folder = TempDir::new().unwrap();
        let service = Service::start(folder.path(), &[]);
        // The client keeps this one alive; the other has never sent a byte.
        assert_eq!(service.call("GET", "/notes", None).0, 200);
        let _silent = TcpStream::connect(&service.address).unwrap();
        thread::sleep(Duration::from_millis(50));

        service.signal(signal);
        let (status, took, log) = service.wait();
        assert_eq!(status.code(), Some(0), "SIG{signal}: {log}");
        assert!(took < PROMPTLY, "SIG{signal}: {took:?}");
        assert!(log.contains("stopped"), "{log}");
    }
}

#[test]
fn a_request_under_way_is_finished_first() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &[]);
    let mut request = start_request(&service.address);

    service.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    request.write_all(b"}").unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(service.wait().0.code(), Some(0));
}

#[test]
fn a_request_that_does_not_end_is_cut_off_at_the_deadline() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &[("APP__SERVER__SHUTDOWN_TIMEOUT", "0.2")]);
    let _request = start_request(&service.address);

    service.signal("TERM");
    let (status, took, log) = service.wait();
    assert_eq!(status.code(), Some(1));
    assert!(took < PROMPTLY, "{took:?}");
    assert!(log.contains("app: requests were still under way 0.2 s after the signal"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(folder.path(), &[]);
    let _request = start_request(&service.address);

    service.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    service.signal("INT");
    let (status, took, _) = service.wait();
    assert_eq!(status.code(), Some(1));
    assert!(took < PROMPTLY, "{took:?}");
}

#[test]
fn the_command_line_is_version_and_help() {
    let folder = TempDir::new().unwrap();
    let version = format!("app {} (sqlite)\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&folder, &[], Some("--version")), (0, version, String::new()));

    let (code, help, _) = run(&folder, &[], Some("--help"));
    assert!(code == 0 && help.starts_with("Usage: app "), "{help}");

    let complaint = "app: unknown argument `--verison`; `app --help` lists what there is\n";
    assert_eq!(run(&folder, &[], Some("--verison")), (2, String::new(), complaint.to_owned()));
}

#[test]
fn bad_settings_end_it_with_2_and_the_key() {
    let folder = TempDir::new().unwrap();
    let complaint = "app: APP__SERVER__PORT: invalid type: string \"http\", expected u16 in `server.port`\n";
    let environment = [("APP__SERVER__PORT", "http")];
    assert_eq!(run(&folder, &environment, None), (2, String::new(), complaint.to_owned()));

    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(folder.path().join("config/app.toml"), "[server]\nprot = 9000\n").unwrap();
    let (code, _, complaint) = run(&folder, &[], None);
    assert_eq!(code, 2);
    assert!(complaint.starts_with("app: config/app.toml, line 2: unknown field `prot`"), "{complaint}");
}

#[test]
fn a_busy_port_and_an_unusable_folder_end_it_with_1_and_the_name() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [("APP__SERVER__HOST", "127.0.0.1"), ("APP__SERVER__PORT", port.as_str())];
    let (code, _, complaint) = run(&folder, &environment, None);
    assert_eq!(code, 1);
    assert!(complaint.starts_with(&format!("app: cannot listen on 127.0.0.1:{port}: ")), "{complaint}");
    assert!(!folder.path().join("data").exists(), "the database was touched");

    // Below a regular file, so that it fails for root as well.
    fs::write(folder.path().join("file"), "").unwrap();
    let environment = [("APP__SERVER__PORT", "0"), ("APP__DATABASE__URL", "sqlite://file/notes/app.db")];
    let (code, _, complaint) = run(&folder, &environment, None);
    assert_eq!(code, 1);
    assert_eq!(
        complaint,
        "app: cannot create the folder of the database file/notes/app.db: Not a directory (os error 20)\n"
    );
}
