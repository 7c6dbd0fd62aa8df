//! `/api/publications`: what is published, step by step.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::answer::{Failure, Problem, nothing_here, refused};
use super::api::Begun;
use crate::build::finding::{Registry, Release};
use crate::publish::{self, Confirmation, Selection, Stage};
use crate::run;
use crate::store::{Part, Publication, Pushed};

type Answer = Result<Response, Failure>;

/// How many publications are listed.
pub(super) const LISTED: i64 = 20;

/// All there is to know of a publication.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Shown {
    /// How it stands with it.
    pub(super) publication: Publication,
    /// Its builds until now, in their order.
    pub(super) parts: Vec<Part>,
    /// The version that comes next, once that is known.
    pub(super) release: Option<Release>,
    /// The registry, once it was asked.
    pub(super) registry: Option<Registry>,
    /// What a push would do, after the dry run.
    pub(super) planned: Vec<Pushed>,
    /// What `confirm` takes, after the dry run.
    pub(super) confirmation: Option<Confirmation>,
    /// What was pushed.
    pub(super) pushed: Vec<Published>,
}

/// An image in a registry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Published {
    #[serde(flatten)]
    pub(super) image: Pushed,
    /// Its page here.
    pub(super) link: String,
    /// Its page on the web, where its registry has such.
    pub(super) page: Option<String>,
}

/// What pushes a publication.
#[derive(Serialize, ToSchema)]
pub(super) struct Confirmed {
    /// The number of the build.
    build: i64,
}

impl Shown {
    /// What is known of `publication`.
    pub(super) async fn of(app: &App, publication: Publication) -> Result<Shown, Failure> {
        let store = app.cook.store();
        let parts = store.parts(publication.id).await?;
        let build = |stage| parts.iter().find(|part| part.stage == stage).map_or(0, |part| part.build.id);
        let push = build(Stage::Push);
        let planned = store.pushed(build(Stage::DryRun)).await?;
        Ok(Shown {
            release: store.release(build(Stage::Release)).await?,
            registry: store.registry(build(Stage::Registry)).await?,
            confirmation: app.cook.to_confirm(publication.id).await?.filter(|_| !planned.is_empty()),
            pushed: store.pushed(push).await?.into_iter().map(|image| Published::of(image, push)).collect(),
            planned,
            publication,
            parts,
        })
    }
}

impl Published {
    fn of(image: Pushed, build: i64) -> Published {
        let name = image.names().next().and_then(|name| name.parse().ok());
        let page = name.and_then(|name| publish::page(&name, &image.digest));
        Published { link: format!("/builds/{build}#{}", image.digest), page, image }
    }
}

/// The latest publications, the last one first.
#[utoipa::path(get, path = "/api/publications", responses((status = 200, body = [Publication])))]
pub(super) async fn list(State(app): State<App>) -> Answer {
    Ok(Json(app.cook.store().publications(LISTED).await?).into_response())
}

/// Begins a publication: `Selection` in, its number out. 409 while another is under way.
#[utoipa::path(post, path = "/api/publications", request_body = Selection,
    responses((status = 201, body = Begun), (status = "4XX", body = Problem)))]
pub(super) async fn begin(State(app): State<App>, Json(selection): Json<Selection>) -> Answer {
    if let Err(error) = selection.check(app.cook.choices()) {
        return Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, &format!("{error:#}")));
    }
    Ok(match app.cook.publish(&selection).await {
        Ok(run::Answer::Done(id)) => (StatusCode::CREATED, Json(Begun { id })).into_response(),
        Ok(run::Answer::Refused(why)) => refused(StatusCode::CONFLICT, &why),
        Ok(run::Answer::Unknown) => nothing_here().await,
        Err(error) => refused(StatusCode::TOO_MANY_REQUESTS, &format!("{error:#}")),
    })
}

/// One publication with all that is known of it. 404 where there is none.
#[utoipa::path(get, path = "/api/publications/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404, body = Problem)))]
pub(super) async fn publication(State(app): State<App>, Path(id): Path<i64>) -> Answer {
    match app.cook.store().publication(id).await? {
        Some(publication) => Ok(Json(Shown::of(&app, publication).await?).into_response()),
        None => Ok(nothing_here().await),
    }
}

/// Pushes what a publication has shown: its `confirmation` in, the number of the build that pushes out. 409 where that is
/// not what it has shown, something has changed since, or it was confirmed already.
#[utoipa::path(post, path = "/api/publications/{id}/confirm", params(("id" = i64, Path)), request_body = Confirmation,
    responses((status = 202, body = Confirmed), (status = "4XX", body = Problem)))]
pub(super) async fn confirm(
    State(app): State<App>,
    Path(id): Path<i64>,
    Json(said): Json<Confirmation>,
) -> Answer {
    Ok(match app.cook.confirm(id, &said).await? {
        run::Answer::Done(build) => (StatusCode::ACCEPTED, Json(Confirmed { build })).into_response(),
        run::Answer::Refused(why) => refused(StatusCode::CONFLICT, &why),
        run::Answer::Unknown => nothing_here().await,
    })
}
