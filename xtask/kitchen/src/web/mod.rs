//! What is served: pages for people, `/api` for programs, and streams. Whoever asks for any of it is looked at by
//! [`guard`] first.

mod answer;
mod api;
mod assets;
mod enter;
mod export;
mod guard;
mod openapi;
mod pages;
mod publications;
mod search;
mod secrets;
mod stream;
mod wanted;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use tokio::sync::Semaphore;

use crate::run::Cook;

pub use guard::Hosts;
pub use secrets::Secrets;

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 64 << 10;

/// How many logs can be followed at once.
pub const STREAMS: usize = 256;

/// What every handler can use; clones are the same.
#[derive(Clone, Debug)]
pub struct App {
    /// Runs the builds.
    pub cook: Cook,
    /// Who may come in.
    pub secrets: Arc<Secrets>,
    /// Under which names.
    pub hosts: Arc<Hosts>,
    /// How many more logs can be followed.
    pub streams: Arc<Semaphore>,
}

/// One route, and who may use it.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its path, as axum has it: `/builds/{id}`.
    pub path: &'static str,
    /// Whether it is for those as well who have shown no secret.
    pub is_open: bool,
    handler: MethodRouter<App>,
}

/// Every route there is.
pub fn routes() -> Vec<Route> {
    let closed = |path, handler| Route { path, is_open: false, handler };
    let open = |path, handler| Route { path, is_open: true, handler };
    vec![
        open("/enter", get(enter::page).post(enter::enter)),
        open("/assets/{name}", get(assets::asset)),
        closed("/", get(pages::home)),
        closed("/builds/{id}", get(pages::build)),
        closed("/builds/{id}/waterfall", get(pages::waterfall)),
        closed("/compare", get(pages::compare)),
        closed("/trends", get(pages::trends)),
        closed("/publish", get(pages::publish)),
        closed("/publish/{id}", get(pages::publication)),
        closed("/api/publications", get(publications::list).post(publications::begin)),
        closed("/api/publications/{id}", get(publications::publication)),
        closed("/api/publications/{id}/confirm", post(publications::confirm)),
        closed("/builds/{id}/matches", get(pages::matches)),
        closed("/api/builds", get(api::list).post(api::order)),
        closed("/api/builds/{id}", get(api::build)),
        closed("/api/builds/{id}/export", get(export::build)),
        closed("/api/export", get(export::history)),
        closed("/api/builds/{id}/kill", post(api::kill)),
        closed("/api/builds/{id}/again", post(api::again)),
        closed("/api/builds/{id}/move", post(api::reorder)),
        closed("/api/builds/{id}/log", get(api::log)),
        closed("/api/builds/{id}/search", get(search::search)),
        closed("/api/builds/{id}/stream", get(stream::log)),
        closed("/api/tokens", post(api::token)),
        closed("/api/openapi.json", get(openapi::document)),
    ]
}

/// All of it.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { path, is_open, handler } in routes() {
        let handler = match is_open {
            true => handler,
            false => handler.layer(axum::middleware::from_fn_with_state(app.clone(), guard::only_known)),
        };
        router = router.route(path, handler);
    }
    router
        .fallback(answer::nothing_here)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::only_from_here))
        .with_state(app)
}
