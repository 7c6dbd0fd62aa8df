//! What operators, browsers and other services see of a request, besides its answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use support::{Service, database::TestDatabase};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The answer's header and body, as they came over the wire.
fn exchange(service: &Service, method_and_path: &str, headers: &str) -> (String, Vec<u8>) {
    let request = format!("{method_and_path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    let mut answer = Vec::new();
    service.send(request.as_bytes()).read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end..].to_vec())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_request_has_an_id_in_answer_problem_and_log() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__LOG__FORMAT", "json")]);
    let headers = format!("x-request-id: order-66\r\ntraceparent: {TRACEPARENT}\r\n");
    let (head, body) = exchange(&service, "GET /notes/7?secret=hunter2", &headers);
    assert_eq!(header(&head, "x-request-id"), Some("order-66"));
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        problem,
        json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no note 7",
               "request_id": "order-66"})
    );

    // One that could break a line of a log is replaced; without one, there is a new one each time.
    let ids = ["x-request-id: a b\r\n", "", ""].map(|headers| {
        let (head, _) = exchange(&service, "GET /notes", headers);
        header(&head, "x-request-id").unwrap().to_owned()
    });
    assert!(
        ids.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{ids:?}"
    );
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);

    service.signal("TERM");
    let (_, _, log) = service.wait();
    assert!(!log.contains("hunter2"), "{log}");
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = lines.iter().find(|line| line["span"]["request_id"] == "order-66").unwrap();
    assert_eq!(
        (&line["message"], &line["status"], &line["level"]),
        (&json!("answered"), &json!(404), &json!("INFO"))
    );
    assert_eq!(line["span"]["route"], "/notes/{id}");
    assert_eq!(line["span"]["path"], "/notes/7");
    assert_eq!(line["span"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(line["latency_ms"].as_f64().unwrap() > 0.0);
    assert!(!lines.iter().any(|line| line["span"]["path"] == "/healthz"));
}

#[test]
fn metrics_tell_routes_not_paths() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    for path in ["/notes/1", "/notes/2", "/nothing/here"] {
        exchange(&service, &format!("GET {path}"), "");
    }
    exchange(&service, "BREW /notes", "");
    let (status, metrics) = service.admin("/metrics");
    assert_eq!(status, 200);
    for line in [
        r#"http_request_duration_seconds_count{method="GET",route="/notes/{id}",status="404"} 2"#,
        r#"http_request_duration_seconds_count{method="GET",route="none",status="404"} 1"#,
        r#"http_request_duration_seconds_count{method="other",route="/notes",status="405"} 1"#,
        "http_requests_in_flight 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in: {metrics}");
    }
    assert!(metrics.contains(&format!("backend=\"{}\"", app::db::BACKEND)), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
    assert_eq!(
        (service.admin("/healthz").0, service.admin("/readyz").0, service.admin("/notes").0),
        (200, 200, 404)
    );
}

#[test]
fn browsers_are_told_to_be_careful() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    let (head, _) = exchange(&service, "GET /notes", "origin: https://elsewhere.example\r\n");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(header(&head, name), Some(value), "{name}");
    }
    assert_eq!(header(&head, "strict-transport-security"), None);
    assert!(!head.contains("access-control"), "{head}");
}

#[test]
fn other_origins_come_in_only_when_they_are_named() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__SERVER__CORS_ORIGINS", "https://good.example")]);
    let ask = |origin: &str| {
        let headers = format!(
            "origin: {origin}\r\naccess-control-request-method: PUT\r\naccess-control-request-headers: if-match\r\n"
        );
        exchange(&service, "OPTIONS /notes/1", &headers).0
    };
    let head = ask("https://good.example");
    assert_eq!(header(&head, "access-control-allow-origin"), Some("https://good.example"));
    assert!(header(&head, "access-control-allow-headers").unwrap().contains("if-match"), "{head}");
    assert_eq!(header(&ask("https://bad.example"), "access-control-allow-origin"), None);
    let (head, _) = exchange(&service, "GET /notes", "origin: https://good.example\r\n");
    assert!(header(&head, "access-control-expose-headers").unwrap().contains("etag"), "{head}");
}

#[test]
fn long_answers_are_compressed_for_those_who_can_read_it() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[]);
    service.call("POST", "/notes", Some(json!({"title": "t", "body": "b".repeat(10_000)})));
    let (head, body) = exchange(&service, "GET /notes/1", "accept-encoding: gzip\r\n");
    assert_eq!(header(&head, "content-encoding"), Some("gzip"));
    assert_eq!(header(&head, "vary"), Some("accept-encoding"));
    assert!(body.len() < 1000, "{}", body.len());
    assert_eq!(header(&exchange(&service, "GET /notes/1", "").0, "content-encoding"), None);
    let (head, _) = exchange(&service, "GET /notes/2", "accept-encoding: gzip\r\n");
    assert_eq!(
        (header(&head, "content-encoding"), header(&head, "content-type")),
        (None, Some("application/problem+json"))
    );
}

/// Reads one request, and answers it.
fn collect(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
        if bytes.len() == end + 4 + length {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            return (head, bytes.split_off(end + 4));
        }
    }
}

#[test]
fn traces_go_to_the_collector_as_parts_of_the_callers() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let collected = thread::spawn(move || collect(&mut collector.accept().unwrap().0));

    let database = TestDatabase::create();
    let service =
        Service::start(&database, &[("APP__OTLP__ENDPOINT", &endpoint), ("OTEL_SERVICE_NAME", "keeper")]);
    exchange(&service, "GET /notes/7", &format!("traceparent: {TRACEPARENT}\r\n"));
    service.signal("TERM");
    assert_eq!(service.wait().0.code(), Some(0));

    let (head, body) = collected.join().unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert_eq!(header(&head, "content-type"), Some("application/x-protobuf"));
    // In protobuf, bytes and strings stand as they are.
    let contains = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    let trace: Vec<u8> =
        (0..16).map(|byte| u8::from_str_radix(&TRACEPARENT[3 + 2 * byte..][..2], 16).unwrap()).collect();
    let parent: Vec<u8> =
        (0..8).map(|byte| u8::from_str_radix(&TRACEPARENT[36 + 2 * byte..][..2], 16).unwrap()).collect();
    assert!(contains(&trace) && contains(&parent));
    assert!(contains(b"/notes/{id}") && contains(b"keeper") && contains(b"http.response.status_code"));
}

#[test]
fn a_collector_that_is_not_there_disturbs_nobody() {
    let database = TestDatabase::create();
    let service = Service::start(&database, &[("APP__OTLP__ENDPOINT", "http://127.0.0.1:1")]);
    assert_eq!(exchange(&service, "GET /notes", "").0.lines().next(), Some("HTTP/1.1 200 OK"));
    service.signal("TERM");
    let (status, took, log) = service.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}
