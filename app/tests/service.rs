//! The real binary: its life from start to signal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use serde_json::json;
use support::{PROMPTLY, Service, database::TestDatabase};

/// A request whose last byte has not been sent yet.
fn start_request(service: &Service) -> TcpStream {
    let stream = service.send(
        b"POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n{\"title\":\"t\",\"body\":\"\"",
    );
    // Nothing tells from outside that the server has read it.
    thread::sleep(Duration::from_millis(100));
    stream
}

#[test]
fn a_note_outlives_a_restart() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    assert_eq!(service.call("GET", "/healthz", None).0, 200);
    assert_eq!(service.call("GET", "/readyz", None).0, 200);
    assert_eq!(service.call("GET", "/notes/1", None).0, 404);

    let (status, note) = service.call("POST", "/notes", Some(json!({"title": "Kept", "body": "here"})));
    assert_eq!(status, 201);
    assert_eq!(service.call("POST", "/notes", Some(json!({"title": "Gone", "body": ""}))).0, 201);
    assert_eq!(service.call("DELETE", "/notes/2", None).0, 204);
    service.signal("TERM");
    assert!(service.wait().0.success());

    let service = Service::start(&database, &[]);
    assert_eq!(service.call("GET", "/notes/1", None), (200, note.clone()));
    assert_eq!(service.call("GET", "/notes", None), (200, json!({"notes": [note], "next": null})));
}

#[test]
fn notes_created_at_once_are_all_there() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
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
        let database = TestDatabase::create();
        let service = Service::start(&database, &[]);
        // The client keeps this one alive, and another has never sent a byte.
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
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    let mut request = start_request(&service);

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
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__SHUTDOWN_TIMEOUT", "0.2")]);
    let _request = start_request(&service);

    service.signal("TERM");
    let (status, took, log) = service.wait();
    assert_eq!(status.code(), Some(8));
    assert!(took < PROMPTLY, "{took:?}");
    assert!(log.contains("app: requests were still under way 0.2 s after the signal"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    let _request = start_request(&service);

    service.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    service.signal("INT");
    let (status, took, _) = service.wait();
    assert_eq!(status.code(), Some(1));
    assert!(took < PROMPTLY, "{took:?}");
}

#[test]
fn while_it_drains_no_request_is_lost() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__DRAIN_TIME", "0.6")]);
    let get = |stream: &mut BufReader<TcpStream>, path: &str| {
        write!(stream.get_mut(), "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0, "closed after: {head}");
        }
        head
    };
    let mut kept_alive = BufReader::new(service.send(b""));
    assert!(!get(&mut kept_alive, "/docs").contains("connection: close"));
    let mut body = vec![0; include_str!("../src/http/docs/page.html").len()];
    kept_alive.read_exact(&mut body).unwrap();

    service.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    assert_eq!(service.admin("/healthz").0, 200);
    assert_eq!(service.admin("/readyz").0, 503);
    // On the connection from before, and on one that is new.
    for mut stream in [kept_alive, BufReader::new(service.send(b""))] {
        let head = get(&mut stream, "/notes");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("\r\nconnection: close\r\n"), "{head}");
    }
    assert_eq!(service.wait().0.code(), Some(0));
}

#[test]
fn an_open_stream_of_changes_does_not_hold_it_up() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    let mut stream = service.send(b"GET /notes/events HTTP/1.1\r\nhost: x\r\n\r\n");
    service.call("POST", "/notes", Some(json!({"title": "t", "body": ""})));
    let mut start = [0; 64];
    stream.read_exact(&mut start).unwrap();

    service.signal("TERM");
    let (status, took, log) = service.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(took < PROMPTLY, "{took:?}");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    // The last chunk is there: it was ended, not cut off.
    assert!(rest.contains("event: created") && rest.ends_with("\r\n0\r\n\r\n"), "{rest}");
}

#[test]
fn a_client_that_comes_at_the_last_moment_is_answered() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__DRAIN_TIME", "0.3")]);
    service.signal("TERM");
    thread::sleep(Duration::from_millis(280));
    // Connected before the end of the time to drain, and heard after it.
    let mut stream = service.send(b"");
    thread::sleep(Duration::from_millis(100));
    stream.write_all(b"GET /notes HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(service.wait().0.code(), Some(0));
}
