//! Notes: create, list, read, replace, delete.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    AppState,
    etag::{self, Versions},
    events,
    extract::{Body, Path, Query},
    problem::{Document, FieldError, Problem},
};
use crate::db::{Change, Draft, Note};

const MAX_TITLE_CHARS: usize = 200;
const MAX_BODY_BYTES: usize = 64 * 1024;
const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// JSON may spell one byte of a body with six (`\u0001`), and needs some for the rest.
pub(super) const MAX_REQUEST_BYTES: usize = 6 * MAX_BODY_BYTES + 8 * 1024;

/// `/notes` and below.
pub(super) fn routes() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace, delete))
        .routes(routes!(events::follow))
}

/// What a client says about a note.
#[derive(Deserialize, ToSchema)]
struct NoteRequest {
    /// What it is about, in a line. Spaces around it are removed.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// The text, at most 65536 bytes in UTF-8.
    #[schema(max_length = 65536)]
    body: String,
}

impl NoteRequest {
    fn validate(self) -> Result<Draft, Problem> {
        let mut errors = Vec::new();
        let mut refuse = |pointer, detail| errors.push(FieldError { pointer, detail });

        let title = self.title.trim();
        if title.is_empty() || title.chars().count() > MAX_TITLE_CHARS {
            refuse("#/title", format!("must have 1 to {MAX_TITLE_CHARS} characters"));
        }
        if self.body.len() > MAX_BODY_BYTES {
            refuse("#/body", format!("must have at most {MAX_BODY_BYTES} bytes in UTF-8"));
        }
        // Not every database can keep it.
        for (pointer, text) in [("#/title", title), ("#/body", &self.body)] {
            if text.contains('\0') {
                refuse(pointer, "must not contain the character U+0000".to_owned());
            }
        }
        if errors.is_empty() {
            Ok(Draft { title: title.to_owned(), body: self.body })
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

/// A note with its ETag.
impl IntoResponse for Note {
    fn into_response(self) -> Response {
        ([(header::ETAG, etag::of(self.version))], Json(self)).into_response()
    }
}

/// Create a note
#[utoipa::path(post, path = "/notes", tag = "notes", request_body = NoteRequest,
    responses(
        (status = 201, body = Note, headers(("location" = String), ("etag" = String))),
        (status = "default", body = Document<'static>, content_type = "application/problem+json")))]
async fn create(
    State(state): State<Arc<AppState>>,
    Body(request): Body<NoteRequest>,
) -> Result<impl IntoResponse, Problem> {
    let note = state.db.insert(&request.validate()?).await?;
    state.events.tell("created", note.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/notes/{}", note.id))], note))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageRequest {
    /// How many notes at most; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Where the page before ended: its `next`.
    after: Option<i64>,
}

/// Some notes, in the order of their ids.
#[derive(Serialize, ToSchema)]
struct Page {
    notes: Vec<Note>,
    /// What `after` has to be for the next page; null on the last.
    #[schema(required)]
    next: Option<i64>,
}

/// List notes
#[utoipa::path(get, path = "/notes", tag = "notes", params(PageRequest),
    responses(
        (status = 200, body = Page),
        (status = "default", body = Document<'static>, content_type = "application/problem+json")))]
async fn list(
    State(state): State<Arc<AppState>>,
    Query(PageRequest { limit, after }): Query<PageRequest>,
) -> Result<Json<Page>, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, format!("limit: must be 1 to {MAX_LIMIT}")));
    }

    // One more than asked for tells whether there is a next page.
    let mut notes = state.db.list(after.unwrap_or(0), i64::from(limit) + 1).await?;
    let more = notes.len() > limit as usize;
    notes.truncate(limit as usize);
    let next = if more { notes.last().map(|note| note.id) } else { None };
    Ok(Json(Page { notes, next }))
}

/// Read a note
#[utoipa::path(get, path = "/notes/{id}", tag = "notes",
    params(("id" = i64, Path), etag::IfNoneMatch),
    responses(
        (status = 200, body = Note, headers(("etag" = String))),
        (status = 304, description = "You have it already", headers(("etag" = String))),
        (status = "default", body = Document<'static>, content_type = "application/problem+json")))]
async fn read(
    State(state): State<Arc<AppState>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let note = state.db.find(id).await?.ok_or_else(|| no_note(id))?;
    if etag::is_known(&headers, note.version)? {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag::of(note.version))]).into_response());
    }
    Ok(note.into_response())
}

/// Replace a note
#[utoipa::path(put, path = "/notes/{id}", tag = "notes", request_body = NoteRequest,
    params(("id" = i64, Path), etag::IfMatchRequired),
    responses(
        (status = 200, body = Note, headers(("etag" = String))),
        (status = "default", body = Document<'static>, content_type = "application/problem+json")))]
async fn replace(
    State(state): State<Arc<AppState>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Body(request): Body<NoteRequest>,
) -> Result<Note, Problem> {
    let draft = request.validate()?;
    let condition = Versions::from(&headers, &header::IF_MATCH)?.ok_or_else(etag::required)?;
    let version = version_to_change(&state, id, condition).await?;
    let note = made(state.db.update(id, version, &draft).await?, id)?;
    state.events.tell("replaced", id);
    Ok(note)
}

/// Delete a note
#[utoipa::path(delete, path = "/notes/{id}", tag = "notes",
    params(("id" = i64, Path), etag::IfMatch),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", body = Document<'static>, content_type = "application/problem+json")))]
async fn delete(
    State(state): State<Arc<AppState>>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let condition = Versions::from(&headers, &header::IF_MATCH)?.unwrap_or(Versions::Any);
    let version = version_to_change(&state, id, condition).await?;
    made(state.db.delete(id, version).await?, id)?;
    state.events.tell("deleted", id);
    Ok(StatusCode::NO_CONTENT)
}

/// The one version that a change may replace; none when any may be.
async fn version_to_change(state: &AppState, id: i64, condition: Versions) -> Result<Option<i64>, Problem> {
    match condition {
        Versions::Any => Ok(None),
        Versions::Only(versions) if versions.len() == 1 => Ok(versions.first().copied()),
        // Of several, the one that it has now; the database makes sure that it still has it then.
        several => {
            let version = state.db.find(id).await?.ok_or_else(|| no_note(id))?.version;
            if several.contain(version) { Ok(Some(version)) } else { Err(etag::outdated()) }
        }
    }
}

fn made<T>(change: Change<T>, id: i64) -> Result<T, Problem> {
    match change {
        Change::Made(result) => Ok(result),
        Change::Conflict => Err(etag::outdated()),
        Change::NotFound => Err(no_note(id)),
    }
}

fn no_note(id: i64) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no note {id}"))
}
