//! Answers that are not what was asked for: problem documents of
//! [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457).

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why an answer is not what was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// The status code.
    status: u16,
    /// What that means.
    title: &'static str,
    /// The reason, and what to do.
    detail: String,
}

/// Something of ours that failed.
#[derive(Debug)]
pub(super) struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        refused(StatusCode::INTERNAL_SERVER_ERROR, &format!("{:#}", self.0))
    }
}

/// A refusal, with the reason and what to do.
pub(super) fn refused(status: StatusCode, why: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Refused");
    let problem = Problem { status: status.as_u16(), title, detail: why.to_owned() };
    let mut response = (status, Json(problem)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// There is no such page, or no such build.
pub(super) async fn nothing_here() -> Response {
    refused(StatusCode::NOT_FOUND, "There is nothing here.")
}
