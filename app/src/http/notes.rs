//! Notes: create, list, read, replace, delete.

use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{HeaderName, StatusCode, header},
    routing::get,
};
use serde::{Deserialize, Serialize};

use super::{AppState, problem::Problem};
use crate::db::{Change, Draft, Note};

const MAX_TITLE_CHARS: usize = 200;
const MAX_BODY_BYTES: usize = 64 * 1024;
const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// JSON may spell one byte of a body with six (`\u0000`), and needs some for the rest.
pub(super) const MAX_REQUEST_BYTES: usize = 6 * MAX_BODY_BYTES + 8 * 1024;

/// `/notes` and below.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/notes", get(list).post(create))
        .route("/notes/{id}", get(read).put(replace).delete(delete))
}

#[derive(Deserialize)]
struct NoteRequest {
    title: String,
    body: String,
}

impl NoteRequest {
    fn validate(self) -> Result<Draft, Problem> {
        let invalid = |detail| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));

        let title = self.title.trim();
        if title.is_empty() || title.chars().count() > MAX_TITLE_CHARS {
            return invalid(format!("title: must have 1 to {MAX_TITLE_CHARS} characters"));
        }
        if self.body.len() > MAX_BODY_BYTES {
            return invalid(format!("body: must have at most {MAX_BODY_BYTES} bytes in UTF-8"));
        }
        Ok(Draft { title: title.to_owned(), body: self.body })
    }
}

async fn create(
    State(state): State<AppState>,
    request: Result<Json<NoteRequest>, JsonRejection>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Note>), Problem> {
    let draft = request?.0.validate()?;
    let note = state.db.insert(&draft).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/notes/{}", note.id))], Json(note)))
}

#[derive(Deserialize)]
struct PageRequest {
    limit: Option<u32>,
    after: Option<i64>,
}

#[derive(Serialize)]
struct Page {
    notes: Vec<Note>,
    /// What `after` has to be for the next page; null on the last.
    next: Option<i64>,
}

async fn list(
    State(state): State<AppState>,
    request: Result<Query<PageRequest>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(PageRequest { limit, after }) = request?;
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

async fn read(
    State(state): State<AppState>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<Note>, Problem> {
    let Path(id) = id?;
    state.db.find(id).await?.map(Json).ok_or_else(|| no_note(id))
}

async fn replace(
    State(state): State<AppState>,
    id: Result<Path<i64>, PathRejection>,
    request: Result<Json<NoteRequest>, JsonRejection>,
) -> Result<Json<Note>, Problem> {
    let Path(id) = id?;
    let draft = request?.0.validate()?;
    match state.db.update(id, None, &draft).await? {
        Change::Made(note) => Ok(Json(note)),
        Change::Conflict | Change::NotFound => Err(no_note(id)),
    }
}

async fn delete(
    State(state): State<AppState>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id?;
    match state.db.delete(id, None).await? {
        Change::Made(()) => Ok(StatusCode::NO_CONTENT),
        Change::Conflict | Change::NotFound => Err(no_note(id)),
    }
}

fn no_note(id: i64) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no note {id}"))
}
