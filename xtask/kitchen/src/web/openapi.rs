//! What `/api` is, as an [OpenAPI](https://spec.openapis.org/oas/v3.1.1.html) document, which takes the key as well.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, openapi};

use super::{api, export, publications, search, stream};

#[derive(OpenApi)]
#[openapi(
    info(title = "Kitchen", description = "Builds of one project: asked for, followed, ended, looked back on."),
    paths(
        api::list, api::order, api::build, api::kill, api::again, api::reorder, api::log, api::token,
        stream::log, search::search, export::build, export::history,
        publications::list, publications::begin, publications::publication, publications::confirm,
        document,
    ),
    security(("key" = [])),
    modifiers(&Key)
)]
struct Api;

/// The key is shown as a bearer token.
struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let bearer = bearer.description(Some("The content of .kitchen/key while Kitchen is open.")).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = Object)))]
pub(super) async fn document() -> Json<openapi::OpenApi> {
    Json(Api::openapi())
}
