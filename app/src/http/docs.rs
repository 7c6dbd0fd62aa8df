//! The API's description: an OpenAPI document, and a page to read it and try it out, which needs no other server.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderName, header},
    routing::get,
};
use utoipa::{OpenApi, openapi};

/// What the whole API is called; paths and schemas come from the routes.
#[derive(OpenApi)]
#[openapi(info(title = "Notes", description = "Keeps notes."), tags((name = "notes", description = "Notes")))]
pub(super) struct Api;

/// The page's own files only, and requests to this service only.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'",
);

/// `/openapi.json`, and `/docs` with its files.
pub(super) fn routes<S>(api: &openapi::OpenApi) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    // It consists of strings and numbers only: there is nothing in it that JSON could not hold.
    let document = Bytes::from(api.to_json().unwrap_or_default());
    let file = |kind: &'static str, content: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind), POLICY], content) })
    };
    Router::new()
        .route(
            "/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], document) }),
        )
        .route("/docs", file("text/html; charset=utf-8", include_str!("docs/page.html")))
        .route("/docs/page.css", file("text/css; charset=utf-8", include_str!("docs/page.css")))
        .route("/docs/page.js", file("text/javascript; charset=utf-8", include_str!("docs/page.js")))
}
