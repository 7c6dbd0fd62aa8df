//! What the service does with more, slower and worse than it can take.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use support::{PROMPTLY, Service, database::TestDatabase};

#[test]
fn half_a_header_is_not_waited_for() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__HEADER_TIMEOUT", "0.3")]);
    let half: Vec<_> = (0..20).map(|_| service.send(b"GET /notes HTTP/1.1\r\nhost: ")).collect();
    let silent = service.send(b"");
    assert_eq!(service.call("GET", "/notes", None).0, 200);
    let started = Instant::now();
    for mut stream in half.into_iter().chain([silent]) {
        stream.set_read_timeout(Some(PROMPTLY)).unwrap();
        // Closed by the service: no bytes, or a reset.
        assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)), "it answered");
    }
    assert!(started.elapsed() < PROMPTLY, "{:?}", started.elapsed());
}

#[test]
fn a_body_that_trickles_is_refused_in_time() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__BODY_TIMEOUT", "0.3")]);
    let mut stream = service.send(
        b"POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{",
    );
    let mut trickle = stream.try_clone().unwrap();
    thread::spawn(move || {
        while trickle.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let mut answer = String::new();
    // It may end by a reset, since the client is still sending.
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn truncated_and_malformed_requests_harm_nobody() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    let head = "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length";
    drop(service.send(format!("{head}: 50\r\n\r\n{{\"title\"").as_bytes()));
    let first_line = |bytes: &[u8]| {
        let mut stream = service.send(bytes);
        let mut answer = Vec::new();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    };
    for (request, status) in [
        (format!("{head}: 999999999\r\n\r\n{{"), "400"),
        (format!("{head}: -1\r\n\r\n"), "400"),
        (format!("{head}: 1\r\ncontent-length: 2\r\n\r\nab"), "400"),
        (format!("GET /notes HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "b".repeat(1 << 20)), "431"),
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "b".repeat(70_000)), "414"),
        ("GARBAGE\r\n\r\n".to_owned(), "400"),
    ] {
        let line = first_line(request.as_bytes());
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status} ")),
            "{}: {line}",
            &request[..request.len().min(90)]
        );
    }
    assert_eq!(service.call("GET", "/notes", None).0, 200);
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__MAX_CONNECTIONS", "2")]);
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let (one, two) = (service.send(b""), service.send(b""));
    thread::sleep(Duration::from_millis(100));
    let mut third = service.send(request);
    third.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(third.read(&mut [0; 1]).is_err(), "it was not made to wait");

    drop((one, two));
    third.set_read_timeout(Some(PROMPTLY)).unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn requests_beyond_the_limit_are_refused_and_probes_are_not() {
    let limits = [("APP__SERVER__MAX_REQUESTS", "2"), ("APP__SERVER__BODY_TIMEOUT", "5")];
    let database = TestDatabase::create();
    let service = Service::start(&database, &limits);
    // Two that wait for the rest of their bodies take both places.
    let slow =
        b"POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let waiting = [service.send(slow), service.send(slow)];
    thread::sleep(Duration::from_millis(100));

    for _ in 0..20 {
        let (status, problem) = service.call("GET", "/notes", None);
        assert_eq!(status, 503);
        assert_eq!(problem["detail"], "too many requests at once; try again");
        assert!(problem["request_id"].is_string());
        assert_eq!(service.call("GET", "/healthz", None).0, 200);
        assert_eq!(service.call("GET", "/readyz", None).0, 200);
    }
    let (_, metrics) = service.admin("/metrics");
    assert!(metrics.contains("\nhttp_requests_rejected_total 20\n"), "{metrics}");
    assert!(metrics.contains("\nhttp_requests_in_flight 2\n"), "{metrics}");

    drop(waiting);
    let started = Instant::now();
    while service.call("GET", "/notes", None).0 != 200 {
        assert!(started.elapsed() < Duration::from_secs(1), "it did not recover");
    }
}

#[test]
fn under_more_load_than_it_takes_every_answer_is_200_or_503() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__MAX_REQUESTS", "2")]);
    service.call("POST", "/notes", Some(json!({"title": "t", "body": ""})));
    let mut statuses = BTreeMap::new();
    thread::scope(|scope| {
        let client = || (0..50).map(|_| service.call("GET", "/notes/1", None).0).collect::<Vec<_>>();
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(client)).collect();
        for status in clients.into_iter().flat_map(|client| client.join().unwrap()) {
            *statuses.entry(status).or_insert(0) += 1;
        }
    });
    assert!(statuses.keys().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses[&200] > 0);
}
