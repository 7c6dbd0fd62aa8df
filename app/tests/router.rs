//! The HTTP contract, through the router and a real database, without a socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/database.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod database;

use app::{
    config::{Database, DatabaseUrl, Server},
    db::{BACKEND, Db, Pool},
    http::{AppState, Events, Readiness, router},
    metrics::Metrics,
    shutdown::Shutdown,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderName, HeaderValue, Request, Response, StatusCode, header},
};
use database::TestDatabase;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    time::{Duration, Instant},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::watch;
use tower::ServiceExt;

struct Service {
    router: Router,
    pool: Pool,
    stop: watch::Sender<bool>,
    _database: TestDatabase,
}

impl Service {
    async fn new() -> Self {
        let database = TestDatabase::create();
        let settings = Database {
            url: DatabaseUrl::try_from(database.url.clone()).unwrap(),
            max_connections: 2.try_into().unwrap(),
            timeout: Duration::from_millis(300),
            ..Database::default()
        };
        let db = Db::open(&settings).await.unwrap();
        let (stop, shutdown) = Shutdown::by_hand();
        let state = AppState {
            db: db.clone(),
            events: Events::default(),
            shutdown: shutdown.clone(),
            body_timeout: Duration::from_millis(200),
        };
        let readiness = Readiness::new(shutdown);
        readiness.watch(db.clone());
        let router = router(state, readiness, Metrics::new(), &Server::default());
        Self { router, pool: db.pool().clone(), stop, _database: database }
    }

    async fn call(&self, request: Request<Body>) -> (Response<()>, Value) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let json = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        (Response::from_parts(head, ()), json)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let (head, json) = self.call(request(method, path, &[], body)).await;
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
        let errors = json["errors"].as_array().into_iter().flatten();
        let errors = errors.map(|error| {
            format!("; {} {}", error["pointer"].as_str().unwrap(), error["detail"].as_str().unwrap())
        });
        (head.status(), json["detail"].as_str().unwrap().to_owned() + &errors.collect::<String>())
    }
}

fn request(method: &str, path: &str, headers: &[(HeaderName, &str)], body: Value) -> Request<Body> {
    let mut request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Body::from(body.to_string())).unwrap()
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
    assert_eq!(head.headers()[header::ETAG], "\"1\"");
    assert_eq!(
        (&created["id"], &created["version"], &created["title"], &created["body"]),
        (&json!(1), &json!(1), &json!("Milk"), &json!("two\nlitres"))
    );
    assert!(created["created_at"].as_str().unwrap().ends_with('Z'), "{created}");
    assert_eq!(created["created_at"], created["updated_at"]);
    assert_eq!(service.get("/notes/1").await, (StatusCode::OK, created.clone()));

    let any = [(header::IF_MATCH, "*")];
    let (head, replaced) =
        service.call(request("PUT", "/notes/1", &any, json!({"title": "Tea", "body": ""}))).await;
    assert_eq!((head.status(), &replaced["title"]), (StatusCode::OK, &json!("Tea")));
    assert_eq!(
        (&head.headers()[header::ETAG], &replaced["version"]),
        (&HeaderValue::from_static("\"2\""), &json!(2))
    );
    assert_eq!(replaced["created_at"], created["created_at"]);
    let time = |value: &Value| OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap();
    assert!(time(&replaced["updated_at"]) >= time(&created["updated_at"]));
    assert_eq!(service.get("/notes/1").await, (StatusCode::OK, replaced.clone()));

    assert_eq!(service.send("DELETE", "/notes/1", Value::Null).await, (StatusCode::NO_CONTENT, Value::Null));
    for (method, body) in [("GET", Value::Null), ("PUT", replaced), ("DELETE", Value::Null)] {
        let (head, _) = service.call(request(method, "/notes/1", &any, body)).await;
        assert_eq!(head.status(), StatusCode::NOT_FOUND, "{method}");
    }
    // Cursors depend on it: the id of a deleted note does not come back.
    assert_eq!(service.send("POST", "/notes", json!({"title": "Next", "body": ""})).await.1["id"], 2);
}

#[tokio::test]
async fn no_update_is_lost() {
    let service = Service::new().await;
    let note = |title: &str| json!({"title": title, "body": ""});
    service.send("POST", "/notes", note("first")).await;

    for (method, tag, status) in [
        ("PUT", None, 428),
        ("PUT", Some("1"), 400),
        ("PUT", Some("\"2\""), 412),
        ("DELETE", Some("\"2\""), 412),
        ("PUT", Some("\"other\""), 412),
        ("PUT", Some("\"1\""), 200),
        ("PUT", Some("\"1\""), 412),
        // As nginx hands it on, and with one that another client has.
        ("PUT", Some("W/\"2\", \"7\""), 200),
        ("DELETE", Some("\"1\", \"2\""), 412),
        ("DELETE", Some("\"3\""), 204),
        ("DELETE", Some("\"3\""), 404),
    ] {
        let condition = tag.map(|tag| (header::IF_MATCH, tag));
        let (head, answer) =
            service.call(request(method, "/notes/1", condition.as_slice(), note("second"))).await;
        assert_eq!(head.status(), status, "{method} {tag:?}: {answer}");
    }
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made() {
    let service = Service::new().await;
    service.send("POST", "/notes", json!({"title": "first", "body": ""})).await;

    let replace = |title: &'static str| {
        let condition = [(header::IF_MATCH, "\"1\"")];
        service.call(request("PUT", "/notes/1", &condition, json!({"title": title, "body": ""})))
    };
    let (left, right) = tokio::join!(replace("left"), replace("right"));
    let mut statuses = [left.0.status().as_u16(), right.0.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let winner = if left.0.status() == 200 { "left" } else { "right" };
    assert_eq!(service.get("/notes/1").await.1["title"], winner);
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let service = Service::new().await;
    service.send("POST", "/notes", json!({"title": "t", "body": ""})).await;

    for (tag, status) in [("\"1\"", 304), ("W/\"1\"", 304), ("*", 304), ("\"2\"", 200), ("1", 400)] {
        let known = [(header::IF_NONE_MATCH, tag)];
        let (head, body) = service.call(request("GET", "/notes/1", &known, Value::Null)).await;
        assert_eq!(head.status(), status, "{tag}");
        assert_eq!(body.is_null(), status == 304, "{tag}");
    }
}

#[tokio::test]
async fn changes_are_told_as_they_happen_until_the_service_stops() {
    let service = Service::new().await;
    let note = json!({"title": "t", "body": ""});
    let request_stream = || Request::get("/notes/events").body(Body::empty()).unwrap();
    let response = service.router.clone().oneshot(request_stream()).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");

    service.send("POST", "/notes", note.clone()).await;
    service.call(request("PUT", "/notes/1", &[(header::IF_MATCH, "*")], note)).await;
    service.send("DELETE", "/notes/1", Value::Null).await;

    let mut stream = response.into_body().into_data_stream();
    for expected in ["created", "replaced", "deleted"] {
        let event = stream.next().await.unwrap().unwrap();
        assert_eq!(event, format!("event: {expected}\ndata: 1\n\n"));
    }
    service.stop.send(true).unwrap();
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn the_api_describes_itself() {
    let service = Service::new().await;
    let (status, api) = service.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let operations: Vec<_> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(
        operations,
        [
            "get /notes",
            "post /notes",
            "get /notes/events",
            "delete /notes/{id}",
            "get /notes/{id}",
            "put /notes/{id}"
        ]
    );
    assert_eq!(api["components"]["schemas"]["Note"]["properties"]["created_at"]["format"], "date-time");

    // The page asks this service only.
    for path in ["/docs", "/docs/page.js", "/docs/page.css"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = service.router.clone().oneshot(request).await.unwrap();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("://"), "{path} names another server");
    }
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
        ("t".to_owned(), "\u{1}".repeat(65_536), StatusCode::CREATED),
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
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let service = Service::new().await;
    let body = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    let (status, detail) = service.problem(post(body)).await;
    assert_eq!((status.as_u16(), detail.as_str()), (408, "the body did not arrive in time"));
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_a_broken_one_tells_nothing() {
    let service = Service::new().await;
    let note = json!({"title": "t", "body": ""});
    service.send("POST", "/notes", note.clone()).await;
    let (lock, release) = match BACKEND {
        "sqlite" => ("BEGIN IMMEDIATE", "ROLLBACK"),
        "postgres" => ("BEGIN; LOCK TABLE notes", "ROLLBACK"),
        _ => ("LOCK TABLES notes WRITE", "UNLOCK TABLES"),
    };

    let mut writer = service.pool.acquire().await.unwrap();
    sqlx::raw_sql(lock).execute(&mut *writer).await.unwrap();
    assert_eq!(service.send("POST", "/notes", note.clone()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    sqlx::raw_sql(release).execute(&mut *writer).await.unwrap();
    assert_eq!(service.send("POST", "/notes", note.clone()).await.0, StatusCode::CREATED);

    sqlx::raw_sql("DROP TABLE notes").execute(&mut *writer).await.unwrap();
    let (status, detail) = service.problem(post(note.to_string())).await;
    assert_eq!(
        (status, detail.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side")
    );
}
