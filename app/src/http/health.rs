//! Probes: is the process alive, and should it get requests.

use std::time::Duration;

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde::Serialize;

use super::{AppState, problem::Problem};

/// Shorter than what orchestrators wait for an answer: Kubernetes gives a probe one second by default.
const READY_TIMEOUT: Duration = Duration::from_millis(800);

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

const HEALTHY: Health = Health { status: "ok" };

/// `/healthz` and `/readyz`.
pub fn routes() -> Router<AppState> {
    Router::new().route("/healthz", get(live)).route("/readyz", get(ready))
}

/// Never asks the database: restarting this process would not bring a lost database back.
async fn live() -> Json<Health> {
    Json(HEALTHY)
}

async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    let unavailable = |detail| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);

    if state.shutdown.is_requested() {
        return Err(unavailable("the service is stopping"));
    }
    tokio::time::timeout(READY_TIMEOUT, state.db.check())
        .await
        .map_err(|_| unavailable("the database does not answer in time"))??;
    Ok(Json(HEALTHY))
}
