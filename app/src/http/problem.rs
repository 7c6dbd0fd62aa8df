//! Errors as clients see them: problem documents, RFC 9457, with nothing of the inside in them.

use std::borrow::Cow;

use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::DbError;

/// An answer with `application/problem+json`; handlers return it as their error.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
}

/// What is wrong with one member of the request's body.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldError {
    /// The member, as a JSON pointer in a URI fragment (RFC 6901, section 6).
    pub pointer: &'static str,
    /// What it has to be.
    pub detail: String,
}

/// A problem as it is sent: RFC 9457, with the extensions `request_id` and `errors`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the status means.
    title: &'static str,
    status: u16,
    /// What went wrong this time.
    detail: &'a str,
    /// Names the request in the service's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    /// What is wrong with each member of the body.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with this status, explained to the client by `detail`.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new() }
    }

    /// A body that is understood, but has members that cannot be accepted.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = Cow::Borrowed("some members of the body are not valid: see errors");
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail, errors }
    }

    /// Something that only the log explains.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side")
    }

    /// The answer, with the id that names the request in the log.
    pub fn with_request_id(&self, request_id: Option<&str>) -> Response {
        let document = Document {
            // The status says it all: RFC 9457, section 4.2.1.
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
        };
        let mut response = (self.status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The answer carries the problem itself along, for the layer that knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.with_request_id(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        tracing::error!(%error, "database");
        if error.is_unavailable() {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database is not available; try again")
        } else {
            Self::internal()
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        // axum's own text names Rust types.
        Self::new(rejection.status(), "the id in the path is not a whole number")
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}
