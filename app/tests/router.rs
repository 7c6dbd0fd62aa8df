//! The HTTP contract, through the router and a real database, without a socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use app::{
    config::{Database, DatabaseUrl},
    db::{Db, Pool},
    http::{AppState, router},
    shutdown::Shutdown,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

struct Service {
    router: Router,
    pool: Pool,
    stop: watch::Sender<bool>,
    _folder: TempDir,
}

impl Service {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("new/folder/app.db").display());
        let settings = Database {
            url: DatabaseUrl::try_from(url).unwrap(),
            max_connections: 2.try_into().unwrap(),
            timeout: Duration::from_millis(100),
            ..Database::default()
        };
        let db = Db::open(&settings).await.unwrap();
        let (stop, shutdown) = Shutdown::by_hand();
        let state = AppState { db: db.clone(), shutdown };
        Self { router: router(state, Duration::from_secs(5)), pool: db.pool().clone(), stop, _folder: folder }
    }

    async fn call(&self, request: Request<Body>) -> (Response<()>, Value) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let json = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        (Response::from_parts(head, ()), json)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let request =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let (head, json) = self.call(request.body(Body::from(body.to_string())).unwrap()).await;
        (head.status(), json)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (head, json) = self.call(Request::get(path).body(Body::empty()).unwrap()).await;
        (head.status(), json)
    }

    /// Makes the call and checks everything that every problem has in common.
    async fn problem(&self, request: Request<Body>) -> (StatusCode, String) {
        let (head, json) = self.call(request).await;
        assert_eq!(head.headers()[header::CONTENT_TYPE], "application/problem+json", "{json}");
        assert_eq!(json["status"], head.status().as_u16());
        assert_eq!(json["title"], head.status().canonical_reason().unwrap());
        assert_eq!(json["type"], "about:blank");
        (head.status(), json["detail"].as_str().unwrap().to_owned())
    }
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/notes").header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

#[tokio::test]
async fn a_note_is_created_read_replaced_and_deleted() {
    let service = Service::new().await;

    let (head, created) =
        service.call(post(json!({"title": "  Milk ", "body": "two\nlitres"}).to_string())).await;
    assert_eq!(head.status(), StatusCode::CREATED);
    assert_eq!(head.headers()[header::LOCATION], "/notes/1");
    assert_eq!(
        (&created["id"], &created["title"], &created["body"]),
        (&json!(1), &json!("Milk"), &json!("two\nlitres"))
    );
    assert_eq!(service.get("/notes/1").await, (StatusCode::OK, created.clone()));

    let (status, replaced) = service.send("PUT", "/notes/1", json!({"title": "Tea", "body": ""})).await;
    assert_eq!((status, &replaced["title"]), (StatusCode::OK, &json!("Tea")));
    assert_eq!(replaced["created_at"], created["created_at"]);
    assert!(replaced["updated_at"].as_str() >= created["updated_at"].as_str());

    assert_eq!(service.send("DELETE", "/notes/1", Value::Null).await, (StatusCode::NO_CONTENT, Value::Null));
    for (method, body) in [("GET", Value::Null), ("PUT", replaced), ("DELETE", Value::Null)] {
        assert_eq!(service.send(method, "/notes/1", body).await.0, StatusCode::NOT_FOUND, "{method}");
    }
    // Cursors depend on it: the id of a deleted note does not come back.
    assert_eq!(service.send("POST", "/notes", json!({"title": "Next", "body": ""})).await.1["id"], 2);
}

#[tokio::test]
async fn a_cursor_leads_through_all_pages() {
    let service = Service::new().await;
    for title in 1..=5 {
        service.send("POST", "/notes", json!({"title": title.to_string(), "body": ""})).await;
    }

    let mut pages = Vec::new();
    let mut path = "/notes?limit=2".to_owned();
    loop {
        let (status, page) = service.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        pages.push(
            page["notes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|note| note["id"].as_i64().unwrap())
                .collect::<Vec<_>>(),
        );
        let Some(next) = page["next"].as_i64() else { break };
        path = format!("/notes?limit=2&after={next}");
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);

    // A full last page has no next one.
    assert_eq!(service.get("/notes?limit=5").await.1["next"], Value::Null);
    assert_eq!(service.get("/notes?after=9").await.1, json!({"notes": [], "next": null}));
}

#[tokio::test]
async fn the_limits_of_a_note_are_exact() {
    let service = Service::new().await;
    let cases = [
        ("é".repeat(200), String::new(), StatusCode::CREATED),
        ("é".repeat(201), String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        (" \n".to_owned(), String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        // In JSON, each of these bytes takes six.
        ("t".to_owned(), "\0".repeat(65_536), StatusCode::CREATED),
        ("t".to_owned(), "b".repeat(65_537), StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (title, body, expected) in cases {
        let lengths = (title.len(), body.len());
        let (status, answer) = service.send("POST", "/notes", json!({"title": title, "body": body})).await;
        assert_eq!(status, expected, "{lengths:?}");
        assert!(status != StatusCode::CREATED || answer["body"] == body);
    }
}

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
        (post(r#"{"title": "", "body": ""}"#), 422, "title: must have 1 to 200 characters"),
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
async fn readiness_ends_with_the_signal_and_liveness_does_not() {
    let service = Service::new().await;
    assert_eq!(service.get("/readyz").await, (StatusCode::OK, json!({"status": "ok"})));

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
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(service.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_a_broken_one_tells_nothing() {
    let service = Service::new().await;
    let note = json!({"title": "t", "body": ""});

    let mut writer = service.pool.acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *writer).await.unwrap();
    assert_eq!(service.send("POST", "/notes", note.clone()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    sqlx::query("ROLLBACK").execute(&mut *writer).await.unwrap();
    assert_eq!(service.send("POST", "/notes", note.clone()).await.0, StatusCode::CREATED);

    sqlx::query("DROP TABLE notes").execute(&mut *writer).await.unwrap();
    let (status, detail) = service.problem(post(note.to_string())).await;
    assert_eq!(
        (status, detail.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side")
    );
}
