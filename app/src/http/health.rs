//! Probes: is the process alive, and should it get requests.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde::Serialize;
use tokio::{sync::Mutex, time::timeout};

use super::problem::Problem;
use crate::{db::Db, shutdown::Shutdown};

/// Shorter than what orchestrators wait for an answer: Kubernetes gives a probe one second by default.
const CHECK_TIMEOUT: Duration = Duration::from_millis(800);
/// How long the answer of the database counts, so that no number of probes becomes load on it.
const CACHED_FOR: Duration = Duration::from_secs(1);

/// Whether the service should get requests; clones share what they know.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    shutdown: Shutdown,
    db: OnceLock<Db>,
    /// When the database was last asked, and whether it answered. Probes that come meanwhile wait for the same answer.
    last: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// Not ready until there is a database to watch, and not any more once the service is asked to stop.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner { shutdown, db: OnceLock::new(), last: Mutex::new(None) }))
    }

    /// From now on, ready while this database answers.
    pub fn watch(&self, db: Db) {
        // It is opened once in the life of the service.
        let _ = self.0.db.set(db);
    }

    async fn check(&self) -> Result<(), &'static str> {
        if self.0.shutdown.is_requested() {
            return Err("the service is stopping");
        }
        let Some(db) = self.0.db.get() else {
            return Err("the database is not open yet");
        };
        let mut last = self.0.last.lock().await;
        let answers = match *last {
            Some((asked, answers)) if asked.elapsed() < CACHED_FOR => answers,
            _ => {
                let answers = matches!(timeout(CHECK_TIMEOUT, db.check()).await, Ok(Ok(())));
                *last = Some((Instant::now(), answers));
                answers
            }
        };
        if answers { Ok(()) } else { Err("the database does not answer") }
    }
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

const HEALTHY: Health = Health { status: "ok" };

/// `/healthz` and `/readyz`.
pub(super) fn routes(readiness: Readiness) -> Router {
    Router::new().route("/healthz", get(live)).route("/readyz", get(ready)).with_state(readiness)
}

/// Never asks the database: restarting this process would not bring a lost database back.
async fn live() -> Json<Health> {
    Json(HEALTHY)
}

async fn ready(State(readiness): State<Readiness>) -> Result<Json<Health>, Problem> {
    let unready = |reason| Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason);
    readiness.check().await.map(|()| Json(HEALTHY)).map_err(unready)
}
