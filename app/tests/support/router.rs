//! The router in process, without a socket.

use std::time::Duration;

use app::{
    config::{Database, DatabaseUrl, Server},
    db::{Db, Pool},
    http::{AppState, Events, Readiness, router},
    metrics::Metrics,
    shutdown::Shutdown,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderName, Request, Response, StatusCode, header},
};
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

use super::database::TestDatabase;

/// The router with a database of its own.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) pool: Pool,
    pub(crate) stop: watch::Sender<bool>,
    _database: TestDatabase,
}

impl Service {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create();
        let settings = Database {
            url: DatabaseUrl::try_from(database.url.clone()).unwrap(),
            max_connections: 2.try_into().unwrap(),
            // Enough for a machine that does much else, and no longer than a test can wait.
            timeout: Duration::from_secs(1),
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

    pub(crate) async fn call(&self, request: Request<Body>) -> (Response<()>, Value) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let json = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        (Response::from_parts(head, ()), json)
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let (head, json) = self.call(request(method, path, &[], body)).await;
        (head.status(), json)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (head, json) = self.call(Request::get(path).body(Body::empty()).unwrap()).await;
        (head.status(), json)
    }

    /// Makes the call and checks everything that every problem has in common.
    pub(crate) async fn problem(&self, request: Request<Body>) -> (StatusCode, String) {
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

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(HeaderName, &str)],
    body: Value,
) -> Request<Body> {
    let mut request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/notes").header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}
