//! HTTP: which path leads where, and what surrounds every request.

mod docs;
mod etag;
mod events;
mod extract;
pub mod health;
mod notes;
pub mod problem;

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
use tracing::{Span, info, info_span};

use crate::{db::Db, shutdown::Shutdown};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use events::Events;
use problem::Problem;

/// What handlers work with; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// What happens to notes.
    pub events: Events,
    /// Whether the service is stopping.
    pub shutdown: Shutdown,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
}

/// The whole service, ready to be served. A request for notes that takes longer than the timeout is answered 503.
pub fn router(state: AppState, request_timeout: Duration) -> Router {
    let (routes, api) =
        OpenApiRouter::with_openapi(docs::Api::openapi()).merge(notes::routes()).split_for_parts();
    surround(routes.merge(docs::routes(&api)), request_timeout)
        // Outside the layers: probes come every few seconds, and bring their own timeout.
        .merge(health::routes().method_not_allowed_fallback(no_such_method))
        .with_state(state)
}

/// Puts around the routes what every request needs; the first layer is the innermost.
fn surround<S>(routes: Router<S>, request_timeout: Duration) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let log = TraceLayer::new_for_http()
        // The path alone: queries may hold what nobody wants in a log.
        .make_span_with(|request: &Request| {
            info_span!("request", method = %request.method(), path = request.uri().path())
        })
        .on_response(|response: &Response, latency: Duration, _: &Span| {
            info!(status = response.status().as_u16(), ?latency, "answered");
        })
        // The line above tells the status already.
        .on_failure(());

    routes
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(notes::MAX_REQUEST_BYTES))
        .layer(from_fn_with_state(request_timeout, give_up_in_time))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(log)
}

async fn no_such_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path")
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the Allow header lists the methods of this path")
}

async fn give_up_in_time(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    tokio::time::timeout(timeout, next.run(request)).await.unwrap_or_else(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the request took too long; try again").into_response()
    })
}

/// Says nothing of the panic: its hook has printed the message and the place.
fn after_panic(_: Box<dyn Any + Send>) -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::header, routing::get};
    use std::future::pending;
    use tower::ServiceExt;

    async fn panics() {
        panic!("for the test");
    }

    #[tokio::test]
    async fn a_panic_and_a_late_answer_become_problems() {
        let routes = Router::new().route("/panics", get(panics)).route("/late", get(pending::<()>));
        let router = surround(routes, Duration::from_millis(10));

        for (path, status) in [("/panics", 500), ("/late", 503), ("/panics", 500)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }
}
