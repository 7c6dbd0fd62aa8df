//! A Kitchen that is asked without a socket.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use xtask_kitchen::build::{Choices, Request as Order, Status};
use xtask_kitchen::place::Place;
use xtask_kitchen::run::{Cook, Settings};
use xtask_kitchen::store::{Commit, End, Store};
use xtask_kitchen::web::{App, Hosts, STREAMS, Secrets, router};

/// The name that the server has.
pub(crate) const NAME: &str = "127.0.0.1:4321";

/// The server of a project in which nobody works.
pub(crate) struct Server {
    _project: TempDir,
    pub(crate) app: App,
    router: Router,
    pub(crate) key: String,
}

/// An answer, with its body as text.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Server {
    pub(crate) async fn new() -> Server {
        Server::with_cargo("").await
    }

    /// The same, where `cargo` is this script, once somebody works.
    pub(crate) async fn with_cargo(script: &str) -> Server {
        let project = tempfile::tempdir().unwrap();
        let cargo = project.path().join("cargo");
        fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let place = Place::in_project(project.path()).unwrap();
        let store = Store::open(&place).await.unwrap();
        let secrets = Arc::new(Secrets::new(&place.key()).unwrap());
        let key = fs::read_to_string(place.key()).unwrap();
        let choices = Choices { backends: vec!["one".to_owned()], platforms: vec!["linux/amd64".to_owned()] };
        let cook = Cook::new(place, store, choices, Settings { cargo: cargo.into(), ..Settings::default() });
        let app = App {
            cook,
            secrets,
            hosts: Arc::new(Hosts::new(4321, &[], false)),
            streams: Arc::new(Semaphore::new(STREAMS)),
        };
        Server { _project: project, router: router(app.clone()), app, key }
    }

    /// Has another cook from here on.
    pub(crate) fn serve(&mut self, cook: Cook) {
        self.app.cook = cook;
        self.router = router(self.app.clone());
    }

    /// A build that has ended, with this log.
    pub(crate) async fn ended(&self, log: &str) -> i64 {
        let store = self.app.cook.store();
        let id = store.enqueue(&Order::default()).await.unwrap();
        store.start(id, &Commit::default()).await.unwrap();
        store.end(id, Status::Done, &End::default()).await.unwrap();
        fs::write(self.app.cook.place().log(id), log).unwrap();
        id
    }

    /// Asks with these headers and nothing else.
    pub(crate) async fn ask(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.answer(request).await.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// The answer to any request, with a body that may still grow.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Asks as a program that has the key.
    pub(crate) async fn with_key(&self, method: Method, path: &str, body: &str) -> Answer {
        let key = format!("Bearer {}", self.key);
        let json = (CONTENT_TYPE.as_str(), "application/json");
        self.ask(&method, path, &[(HOST.as_str(), NAME), (AUTHORIZATION.as_str(), &key), json], body).await
    }

    /// Asks as a page of ours.
    pub(crate) async fn as_page(&self, method: Method, path: &str, cookie: &str, body: &str) -> Answer {
        let origin = format!("http://{NAME}");
        let headers = [
            (HOST.as_str(), NAME),
            (ORIGIN.as_str(), &origin),
            (COOKIE.as_str(), cookie),
            (CONTENT_TYPE.as_str(), "application/json"),
        ];
        self.ask(&method, path, &headers, body).await
    }
}
