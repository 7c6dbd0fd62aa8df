//! The search in the log of a build, for programs and for the page's script.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use super::App;
use super::answer::{Failure, Problem, nothing_here, refused};
use crate::log::{Found, Pattern};

/// How many searches run at once; each has a processor for itself.
static SEARCHES: Semaphore = Semaphore::const_new(4);

/// How long another waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is searched for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Sought {
    /// A regular expression.
    pub(super) search: String,
    /// The line around which matches are told.
    pub(super) near: u64,
}

impl Default for Sought {
    fn default() -> Sought {
        Sought { search: String::new(), near: 1 }
    }
}

/// How a search went.
pub(super) enum Outcome {
    /// As it was meant.
    Found(Found),
    /// It was refused, with the reason.
    Refused(StatusCode, String),
    /// There is no such build.
    Nothing,
}

/// What is in the log of a build.
#[utoipa::path(get, path = "/api/builds/{id}/search", params(("id" = i64, Path), Sought),
    responses((status = 200, body = Found), (status = "4XX", body = Problem)))]
pub(super) async fn search(
    State(app): State<App>,
    Path(build): Path<i64>,
    Query(sought): Query<Sought>,
) -> Result<Response, Failure> {
    Ok(match find(&app, build, &sought).await? {
        Outcome::Found(found) => Json(found).into_response(),
        Outcome::Refused(status, why) => refused(status, &why),
        Outcome::Nothing => nothing_here().await,
    })
}

/// Searches the log of a build.
///
/// # Errors
/// When the history or the log cannot be read.
pub(super) async fn find(app: &App, build: i64, sought: &Sought) -> anyhow::Result<Outcome> {
    if app.cook.store().build(build).await?.is_none() {
        return Ok(Outcome::Nothing);
    }
    let pattern = match Pattern::parse(&sought.search) {
        Ok(pattern) => pattern,
        Err(why) => return Ok(Outcome::Refused(StatusCode::UNPROCESSABLE_ENTITY, why)),
    };
    let Ok(permit) = tokio::time::timeout(PATIENCE, SEARCHES.acquire()).await else {
        let why = "Too many searches run: try again a little later.";
        return Ok(Outcome::Refused(StatusCode::SERVICE_UNAVAILABLE, why.to_owned()));
    };
    let (path, near) = (app.cook.place().log(build), sought.near);
    if !path.exists() {
        return Ok(Outcome::Refused(StatusCode::CONFLICT, "The build has no log yet: it waits.".to_owned()));
    }
    // Whoever asked may be gone before it ends; its turn ends with it.
    let found = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        pattern.search(&path, near)
    });
    Ok(Outcome::Found(found.await??))
}
