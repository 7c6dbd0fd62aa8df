//! What the router answers when a request, or the database, is not as it should be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use app::db::BACKEND;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use futures_util::stream;
use serde_json::json;
use support::router::{Service, post};
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn bad_requests_are_answered_with_problems() {
    let service = Service::new().await;
    let bare =
        |method: &str, path: &str| Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let cases = [
        (bare("GET", "/nothing/here"), 404, "there is nothing at this path"),
        (bare("GET", "/notes/7"), 404, "there is no note 7"),
        (bare("GET", "/notes/x"), 400, "the id in the path is not a whole number"),
        (bare("GET", "/notes?limit=0"), 400, "limit: must be 1 to 100"),
        (bare("GET", "/notes?limit=101"), 400, "limit: must be 1 to 100"),
        (bare("GET", "/notes?after=x"), 400, "after: invalid digit"),
        (bare("PATCH", "/notes"), 405, "Allow"),
        (bare("POST", "/healthz"), 405, "Allow"),
        (Request::post("/notes").body(Body::from("{}")).unwrap(), 415, "application/json"),
        (post("{"), 400, "EOF"),
        (post("\u{1}"), 400, "line 1"),
        (post(vec![b'"', 0xff, b'"']), 400, "line 1"),
        (post(r#"{"title": 1, "body": ""}"#), 422, "expected a string"),
        (post(r#"{"title": "t"}"#), 422, "missing field `body`"),
        (post(r#"{"title": "", "body": ""}"#), 422, "#/title must have 1 to 200 characters"),
        (
            post(r#"{"title": "a\u0000b", "body": "\u0000"}"#),
            422,
            "#/body must not contain the character U+0000",
        ),
        (post(vec![b' '; 500_000]), 413, "length limit"),
    ];
    for (request, status, detail) in cases {
        let name = format!("{} {}", request.method(), request.uri());
        let (found, explanation) = service.problem(request).await;
        assert_eq!(found, status, "{name}: {explanation}");
        assert!(explanation.contains(detail), "{name}: {explanation}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let service = Service::new().await;
    let body = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    let (status, detail) = service.problem(post(body)).await;
    assert_eq!((status.as_u16(), detail.as_str()), (408, "the body did not arrive in time"));
}

#[tokio::test]
async fn readiness_ends_with_the_signal_and_liveness_does_not() {
    let service = Service::new().await;
    // A machine that does much else may take longer than it is given.
    let mut ready = service.get("/readyz").await;
    for _ in 0..10 {
        if ready.0 != StatusCode::OK {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ready = service.get("/readyz").await;
        }
    }
    assert_eq!(ready, (StatusCode::OK, json!({"status": "ok"})));

    service.stop.send(true).unwrap();
    assert_eq!(service.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.get("/healthz").await, (StatusCode::OK, json!({"status": "ok"})));
}

#[tokio::test]
async fn without_a_free_connection_the_answer_is_503_in_time() {
    let service = Service::new().await;
    let _held = (service.pool.acquire().await.unwrap(), service.pool.acquire().await.unwrap());

    let started = Instant::now();
    let request = Request::get("/notes").body(Body::empty()).unwrap();
    let (head, problem) = service.call(request).await;
    assert_eq!(head.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(head.headers()[header::RETRY_AFTER], "1");
    assert_eq!(problem["detail"], "the database is not available; try again");
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(service.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_a_broken_one_tells_nothing() {
    let service = Service::new().await;
    let note = json!({"title": "t", "body": ""});
    service.send("POST", "/notes", note.clone()).await;
    let (lock, release) = match BACKEND {
        "sqlite" => ("BEGIN IMMEDIATE", "ROLLBACK"), // template: if "sqlite" in backends
        "postgres" => ("BEGIN; LOCK TABLE notes", "ROLLBACK"), // template: if "postgres" in backends
        "mysql" => ("LOCK TABLES notes WRITE", "UNLOCK TABLES"), // template: if "mysql" in backends
        other => panic!("how does {other} lock a table?"),
    };

    let mut writer = service.pool.acquire().await.unwrap();
    sqlx::raw_sql(lock).execute(&mut *writer).await.unwrap();
    // A client that leaves early costs no connection, whatever the database answers in the end.
    let leaves = timeout(Duration::from_millis(150), service.send("POST", "/notes", note.clone()));
    assert!(leaves.await.is_err(), "it is locked");
    sleep(Duration::from_millis(1200)).await;
    assert_eq!(service.send("POST", "/notes", note.clone()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    sqlx::raw_sql(release).execute(&mut *writer).await.unwrap();
    // The connection that was given up on may still be busy for a moment.
    let released = Instant::now();
    while service.send("POST", "/notes", note.clone()).await.0 != StatusCode::CREATED {
        assert!(released.elapsed() < Duration::from_secs(15), "it does not recover");
    }

    sqlx::raw_sql("DROP TABLE notes").execute(&mut *writer).await.unwrap();
    let (status, detail) = service.problem(post(note.to_string())).await;
    assert_eq!(
        (status, detail.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side")
    );
}
