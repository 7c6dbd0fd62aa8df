//! The life of the service, in order: listen, open the database, serve, finish, close.

use std::net::SocketAddr;

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, runtime::Runtime, select, time};
use tracing::{info, warn};

use crate::{
    config::Settings,
    db::{self, Db},
    error::Error,
    http::{self, AppState, Events},
    shutdown::Shutdown,
};

/// Serves until a signal asks to stop, then lets the requests under way finish.
///
/// Not async: so all of the server is compiled with this library, and none of it again with the binary.
///
/// # Errors
/// When the address or the database cannot be used, or when requests outlast `server.shutdown_timeout`.
pub fn run(settings: &Settings) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::Runtime)?;
    let result = runtime.block_on(serve(settings));
    // A request past its deadline may still hold a thread: the process must not wait for it.
    runtime.shutdown_background();
    result
}

async fn serve(settings: &Settings) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals().map_err(Error::Signals)?;

    // Before the database: a second copy started by mistake must not migrate the first one's.
    let address = SocketAddr::new(settings.server.host, settings.server.port);
    let cannot_listen = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;

    let db = select! {
        opened = Db::open(&settings.database) => opened?,
        () = shutdown.clone().requested() => return Ok(()),
    };
    info!(%address, backend = db::BACKEND, "listening");

    let state = AppState {
        db: db.clone(),
        events: Events::default(),
        shutdown: shutdown.clone(),
        body_timeout: settings.server.body_timeout,
    };
    let router = http::router(state, settings.server.request_timeout);
    let listener = listener.tap_io(|stream| {
        // Answers are small: sent when written, they do not wait for the client's acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            warn!(%error, "cannot set TCP_NODELAY");
        }
    });

    let stopping = shutdown.clone();
    let finished = async {
        axum::serve(listener, router)
            .with_graceful_shutdown(stopping.requested())
            .await
            .map_err(cannot_listen)?;
        db.close().await;
        Ok(())
    };
    let limit = settings.server.shutdown_timeout;
    let deadline = async {
        shutdown.requested().await;
        time::sleep(limit).await;
    };
    select! {
        result = finished => result.inspect(|()| info!("stopped")),
        () = deadline => Err(Error::Deadline(limit)),
    }
}
