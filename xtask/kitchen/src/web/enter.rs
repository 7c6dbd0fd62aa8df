//! The way in. The token is behind the `#` of the printed address, which browsers send to nobody: a script hands it over,
//! so that no request for a page changes anything, and no log has it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::App;
use super::answer::{Failure, refused};
use super::guard::COOKIE_NAME;
use super::pages::frame;

/// What the script hands over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: String,
}

pub(super) async fn page() -> Markup {
    frame(
        "Kitchen",
        &html! {
            main.narrow {
                h1 { "Kitchen" }
                p #said role="status" { "One moment …" }
                noscript { p { "This page needs its script, which comes from your own machine." } }
            }
            script src="/assets/enter.js" defer {}
        },
    )
}

pub(super) async fn enter(
    State(app): State<App>,
    Json(Token { token }): Json<Token>,
) -> Result<Response, Failure> {
    let Some(session) = app.secrets.exchange(&token)? else {
        return Ok(refused(
            StatusCode::UNAUTHORIZED,
            "This address was used before, or is of an earlier run.",
        ));
    };
    let secure = if app.hosts.is_tls() { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={session}; HttpOnly; SameSite=Strict; Path=/{secure}");
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
