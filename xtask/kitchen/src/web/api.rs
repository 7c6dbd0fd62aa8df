//! `/api`: the same for programs, in JSON.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use utoipa::ToSchema;

use super::App;
use super::answer::{Failure, Problem, nothing_here, refused};
use super::wanted::Wanted;
use crate::build::{Request, Status};
use crate::store::{Build, Layer, Pushed, Step};

/// How much of a log is sent at once, in bytes.
const PART: usize = 64 << 10;

type Answer = Result<Response, Failure>;

/// Which build another is put before; at the end without one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    /// Its number.
    before: Option<i64>,
}

/// What was begun.
#[derive(Serialize, ToSchema)]
pub(super) struct Begun {
    /// Its number.
    pub(super) id: i64,
}

/// One build with its steps and layers.
#[derive(Serialize, ToSchema)]
pub(super) struct Detail {
    /// How it stands with it.
    build: Build,
    /// What was asked for; none of a build that was started in a terminal by words that mean nothing here.
    request: Option<Request>,
    /// In the order in which they began.
    steps: Vec<Step>,
    /// Of all images, lowest first.
    layers: Vec<Layer>,
    /// Images in a registry.
    pushed: Vec<Pushed>,
}

/// What lets a browser in, behind `/enter#`.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    /// Good for one browser.
    token: String,
}

/// The latest builds, or those before one, and of one kind.
#[utoipa::path(get, path = "/api/builds", params(Wanted), responses((status = 200, body = [Build])))]
pub(super) async fn list(State(app): State<App>, Query(wanted): Query<Wanted>) -> Answer {
    Ok(Json(app.cook.store().page(&wanted.filter()).await?.0).into_response())
}

/// Queues a build.
#[utoipa::path(post, path = "/api/builds", request_body = Request,
    responses((status = 201, body = Begun), (status = "4XX", body = Problem)))]
pub(super) async fn order(State(app): State<App>, Json(request): Json<Request>) -> Answer {
    if let Err(error) = request.check(app.cook.choices()) {
        return Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, &format!("{error:#}")));
    }
    queue(&app, &request).await
}

/// One build with its steps and layers.
#[utoipa::path(get, path = "/api/builds/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404, body = Problem)))]
pub(super) async fn build(State(app): State<App>, Path(id): Path<i64>) -> Answer {
    let store = app.cook.store();
    let Some(build) = store.build(id).await? else { return Ok(nothing_here().await) };
    let (steps, layers) = (store.steps(id).await?, store.layers(id).await?);
    let (request, pushed) = (store.request(id).await?, store.pushed(id).await?);
    Ok(Json(Detail { build, request, steps, layers, pushed }).into_response())
}

/// Ends a build, or takes it out of the queue.
#[utoipa::path(post, path = "/api/builds/{id}/kill", params(("id" = i64, Path)),
    responses((status = 202), (status = 409, body = Problem)))]
pub(super) async fn kill(State(app): State<App>, Path(id): Path<i64>) -> Answer {
    match app.cook.kill(id).await? {
        true => Ok(StatusCode::ACCEPTED.into_response()),
        false => Ok(refused(StatusCode::CONFLICT, not_killed(&app, id).await?)),
    }
}

/// Queues a build that is like another.
#[utoipa::path(post, path = "/api/builds/{id}/again", params(("id" = i64, Path)),
    responses((status = 201, body = Begun), (status = "4XX", body = Problem)))]
pub(super) async fn again(State(app): State<App>, Path(id): Path<i64>) -> Answer {
    match app.cook.store().request(id).await? {
        Some(request) => order(State(app), Json(request)).await,
        None => again_in_terminal(&app, id).await,
    }
}

/// Says why a build that was started in a terminal cannot be queued here.
async fn again_in_terminal(app: &App, id: i64) -> Answer {
    let Some(words) = app.cook.store().words(id).await? else { return Ok(nothing_here().await) };
    match Request::from_words(&words, app.cook.choices()) {
        // It was none when the project had other choices.
        Ok(request) => queue(app, &request).await,
        Err(error) => {
            let why = format!("This can only be run again in a terminal: {error:#}.");
            Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, &why))
        }
    }
}

async fn not_killed(app: &App, id: i64) -> anyhow::Result<&'static str> {
    let build = app.cook.store().build(id).await?;
    let is_running = build.is_some_and(|build| build.status == Status::Running);
    Ok(match is_running {
        true => "Its process is gone, or cannot be told from others: end it where it was started.",
        false => "The build has ended, or there is none with this number.",
    })
}

/// Changes the place of a build in the queue.
#[utoipa::path(post, path = "/api/builds/{id}/move", params(("id" = i64, Path)), request_body = Move,
    responses((status = 204), (status = 409, body = Problem)))]
pub(super) async fn reorder(State(app): State<App>, Path(id): Path<i64>, Json(to): Json<Move>) -> Answer {
    match app.cook.store().reorder(id, to.before).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Ok(refused(StatusCode::CONFLICT, "The build does not wait any more.")),
    }
}

/// A token that lets one more browser in, once.
#[utoipa::path(post, path = "/api/tokens", responses((status = 201, body = Token)))]
pub(super) async fn token(State(app): State<App>) -> Answer {
    Ok((StatusCode::CREATED, Json(Token { token: app.secrets.token()? })).into_response())
}

/// All that a build has printed until now, as it is in the file.
#[utoipa::path(get, path = "/api/builds/{id}/log", params(("id" = i64, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem)))]
pub(super) async fn log(State(app): State<App>, Path(id): Path<i64>) -> Answer {
    if app.cook.store().build(id).await?.is_none() {
        return Ok(nothing_here().await);
    }
    let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    // A build that never began has none.
    let Ok(file) = File::open(app.cook.place().log(id)).await else { return Ok(kind.into_response()) };
    let length = file.metadata().await?.len();
    let bytes = stream::try_unfold(file.take(length), async |mut file| {
        let mut part = vec![0; PART];
        let read = file.read(&mut part).await?;
        part.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((part, file)))
    });
    Ok((kind, [(CONTENT_LENGTH, length)], Body::from_stream(bytes)).into_response())
}

async fn queue(app: &App, request: &Request) -> Answer {
    match app.cook.order(request).await {
        Ok(id) => Ok((StatusCode::CREATED, Json(Begun { id })).into_response()),
        Err(error) => Ok(refused(StatusCode::TOO_MANY_REQUESTS, &format!("{error:#}"))),
    }
}
