//! HTTP: which path leads where.

mod docs;
mod etag;
mod events;
mod extract;
mod health;
mod layers;
mod notes;
mod observe;
pub mod problem;

use std::{sync::Arc, time::Duration};

use axum::{Router, http::header, routing::get};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    config,
    db::Db,
    metrics::{self, Metrics},
    shutdown::Shutdown,
};
pub use events::Events;
pub use health::Readiness;

/// What handlers work with.
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

/// The whole service, ready to be served.
pub fn router(state: AppState, readiness: Readiness, metrics: Metrics, settings: &config::Server) -> Router {
    let api = OpenApiRouter::with_openapi(docs::Api::openapi()).merge(notes::routes());
    let (routes, api) = api.split_for_parts();
    // Axum clones the state several times a request.
    let routes = routes.merge(docs::routes(&api)).with_state(Arc::new(state));
    layers::surround(routes, metrics, settings)
        // Outside the layers: probes have to be answered when all else is busy, and nobody wants them in the log.
        .merge(health::routes(readiness).method_not_allowed_fallback(layers::no_such_method))
}

/// What the platform asks, on a port of its own.
pub fn admin_router(readiness: Readiness, metrics: Metrics) -> Router {
    let render =
        get(move || async move { ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.render()) });
    Router::new().route("/metrics", render).merge(health::routes(readiness)).fallback(layers::no_such_path)
}
