//! Server-sent events. The number of an event is where the log goes on after it, in bytes: a browser that was cut off
//! names the last one that it has, and loses and doubles nothing
//! ([HTML, 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::App;
use super::answer::{Failure, Problem, nothing_here, refused};
use crate::log::Reader;

/// Where a page begins that has the log up to there.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    /// In bytes; `Last-Event-ID` counts more.
    #[serde(default)]
    from: u64,
}

/// What is sent next.
struct Following {
    app: App,
    build: i64,
    reader: Reader,
    is_over: bool,
    _permit: OwnedSemaphorePermit,
}

/// The log of a build, from an offset on, as it grows; and how the build ended, at its end.
#[utoipa::path(get, path = "/api/builds/{id}/stream", params(("id" = i64, Path), From),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = Problem)))]
pub(super) async fn log(
    State(app): State<App>,
    Path(build): Path<i64>,
    Query(From { from }): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let Ok(permit) = app.streams.clone().try_acquire_owned() else {
        return Ok(refused(StatusCode::SERVICE_UNAVAILABLE, "Too many pages follow logs: close some."));
    };
    let place = app.cook.place().log(build);
    if app.cook.store().build(build).await?.is_none() {
        return Ok(nothing_here().await);
    }
    let length = app.cook.log_length(build);
    let reader = match Reader::open(&place, last.unwrap_or(from), length).await {
        Ok(reader) => reader,
        Err(_) => return Ok(refused(StatusCode::CONFLICT, "The build has no log yet: it waits.")),
    };
    let state = Following { app, build, reader, is_over: false, _permit: permit };
    let events = stream::unfold(state, next);
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

async fn next(mut state: Following) -> Option<(Result<Event, Infallible>, Following)> {
    if state.is_over {
        return None;
    }
    let event = match state.reader.next().await {
        Ok(Some(part)) => {
            // As JSON, which keeps every line end as it is.
            let text = serde_json::to_string(&part.text).unwrap_or_default();
            Event::default().event("log").id(part.end.to_string()).data(text)
        }
        // The log is at its end a moment before the history is.
        Ok(None) => {
            state.is_over = true;
            Event::default().event("end").data(status(&state).await)
        }
        Err(_) => return None,
    };
    Some((Ok(event), state))
}

async fn status(state: &Following) -> String {
    for _ in 0..100 {
        let build = state.app.cook.store().build(state.build).await.ok().flatten();
        match build.map(|build| build.status) {
            Some(status) if !status.is_final() => tokio::time::sleep(Duration::from_millis(50)).await,
            Some(status) => return status.name().to_owned(),
            None => break,
        }
    }
    "unknown".to_owned()
}
