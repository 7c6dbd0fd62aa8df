//! The history as JSON, for other programs.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::answer::{Failure, Problem, nothing_here};
use super::wanted::Wanted;
use crate::build::Package;
use crate::store::{Filter, Record, Store};

/// A build with its packages.
#[derive(Serialize, ToSchema)]
pub(super) struct Whole {
    #[serde(flatten)]
    record: Record,
    packages: Vec<Package>,
}

/// Where the history goes on.
struct Rest {
    store: Store,
    filter: Filter,
    /// The builds of the page that is being sent, the next one last.
    page: Vec<i64>,
    is_last: bool,
}

/// One build with all facts.
#[utoipa::path(get, path = "/api/builds/{id}/export", params(("id" = i64, Path)),
    responses((status = 200, body = Whole), (status = 404, body = Problem)))]
pub(super) async fn build(State(app): State<App>, Path(id): Path<i64>) -> Result<Response, Failure> {
    let store = app.cook.store();
    let Some(record) = store.record(id).await? else { return Ok(nothing_here().await) };
    let whole = Whole { record, packages: store.packages(id).await? };
    let name = format!("attachment; filename=\"build-{id}.json\"");
    Ok(([(CONTENT_DISPOSITION, name)], Json(whole)).into_response())
}

/// Every build of a filter, the last one first: one JSON object a line, without its packages, which are named by the
/// SHA-256 of their lock file. Only one build is in memory at a time.
#[utoipa::path(get, path = "/api/export", params(Wanted),
    responses((status = 200, body = Record, content_type = "application/x-ndjson")))]
pub(super) async fn history(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    let rest =
        Rest { store: app.cook.store().clone(), filter: wanted.filter(), page: Vec::new(), is_last: false };
    let lines = stream::try_unfold(rest, next);
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"builds.jsonl\""),
    ];
    (headers, Body::from_stream(lines)).into_response()
}

async fn next(mut rest: Rest) -> anyhow::Result<Option<(Vec<u8>, Rest)>> {
    loop {
        if rest.page.is_empty() && !rest.is_last {
            let (builds, has_more) = rest.store.page(&rest.filter).await?;
            rest.page = builds.iter().rev().map(|build| build.id).collect();
            rest.filter.before = builds.last().map(|build| build.id);
            rest.is_last = !has_more;
        }
        let Some(id) = rest.page.pop() else { return Ok(None) };
        // It may have been removed meanwhile.
        let Some(record) = rest.store.record(id).await? else { continue };
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        return Ok(Some((line, rest)));
    }
}
