//! Scripts and styles, which are part of the program.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use super::answer::refused;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Each by its name.
const ASSETS: [(&str, &str, &str); 20] = [
    ("build.js", SCRIPT, include_str!("assets/build.js")),
    ("common.js", SCRIPT, include_str!("assets/common.js")),
    ("compare.js", SCRIPT, include_str!("assets/compare.js")),
    ("enter.js", SCRIPT, include_str!("assets/enter.js")),
    ("history.css", STYLE, include_str!("assets/history.css")),
    ("home.js", SCRIPT, include_str!("assets/home.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ("kitchen.css", STYLE, include_str!("assets/kitchen.css")),
    ("live.js", SCRIPT, include_str!("assets/live.js")),
    ("logs.css", STYLE, include_str!("assets/logs.css")),
    ("matches.js", SCRIPT, include_str!("assets/matches.js")),
    ("notify.js", SCRIPT, include_str!("assets/notify.js")),
    ("publish.css", STYLE, include_str!("assets/publish.css")),
    ("publish.js", SCRIPT, include_str!("assets/publish.js")),
    ("scale.js", SCRIPT, include_str!("assets/scale.js")),
    ("search.js", SCRIPT, include_str!("assets/search.js")),
    ("text.js", SCRIPT, include_str!("assets/text.js")),
    ("trends.js", SCRIPT, include_str!("assets/trends.js")),
    ("viewer.js", SCRIPT, include_str!("assets/viewer.js")),
    ("waterfall.js", SCRIPT, include_str!("assets/waterfall.js")),
];

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, kind, text)) = ASSETS.iter().find(|(known, _, _)| *known == name) else {
        return refused(StatusCode::NOT_FOUND, "There is nothing here.");
    };
    ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache")], *text).into_response()
}
