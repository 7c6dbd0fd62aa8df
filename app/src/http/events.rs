//! A stream of changes: server-sent events, for as long as the client listens.
//!
//! What another instance of the service changes is not among them; that would take a message broker.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast::{self, error::RecvError};

use super::AppState;

/// How many changes a client may be behind before it misses some.
const BUFFER: usize = 256;

/// Something that happened to a note.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    /// The name of the event.
    pub(super) what: &'static str,
    /// Which note.
    pub(super) id: i64,
}

/// Tells every open stream of changes.
#[derive(Debug, Clone)]
pub struct Events(broadcast::Sender<Changed>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(BUFFER))
    }
}

impl Events {
    pub(super) fn tell(&self, what: &'static str, id: i64) {
        // An error means that nobody listens.
        let _ = self.0.send(Changed { what, id });
    }
}

/// Follow changes
///
/// Events `created`, `replaced` and `deleted`, with the id of the note; `missed` after a client was too slow.
#[utoipa::path(get, path = "/notes/events", tag = "notes",
    responses((status = 200, description = "A stream of events", content_type = "text/event-stream", body = String)))]
pub(super) async fn follow(
    State(state): State<Arc<AppState>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(state.events.0.subscribe(), |mut changes| async {
        let event = match changes.recv().await {
            Ok(Changed { what, id }) => Event::default().event(what).data(id.to_string()),
            Err(RecvError::Lagged(missed)) => Event::default().event("missed").data(missed.to_string()),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), changes))
    });
    // An open stream would otherwise keep the service from stopping.
    Sse::new(changes.take_until(state.shutdown.clone().requested())).keep_alive(KeepAlive::default())
}
