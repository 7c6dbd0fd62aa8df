//! The yardstick of `cargo xtask soak`: plain axum with the service's database and nothing around it.
//!
//! Health and reading a note answer as the service does, from the same query on the same pool. What the service is
//! slower by is the price of its accept loop and layers.

use std::net::SocketAddr;

use app::{
    config::Settings,
    db::{self, Db, Note},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

// As in the service.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "who starts it reads the address there")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::load(&[])?;
    let db = Db::open(&settings.database).await?;
    let router = Router::new().route("/healthz", get(live)).route("/notes/{id}", get(read)).with_state(db);

    let address = SocketAddr::new(settings.server.host, settings.server.port);
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening address={} backend={}", listener.local_addr()?, db::BACKEND);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn live() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}

async fn read(State(db): State<Db>, Path(id): Path<i64>) -> Result<Json<Note>, StatusCode> {
    let note = db.find(id).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    note.map(Json).ok_or(StatusCode::NOT_FOUND)
}
