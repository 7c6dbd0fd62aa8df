//! The life of the service, in order: listen, open the database, serve, finish, close.

mod accept;
mod tls;

use std::net::{IpAddr, SocketAddr};

use tokio::{net::TcpListener, runtime::Runtime, select};
use tracing::info;

use crate::{
    config::Settings,
    db::{self, Db},
    error::Error,
    http::{self, AppState, Events, Readiness},
    metrics::Metrics,
    shutdown::Shutdown,
};
use tls::Acceptor;
pub use tls::CertificateError;

/// Serves until a signal asks to stop, then lets the requests under way finish.
///
/// Not async: so all of the server is compiled with this library, and none of it again with the binary.
///
/// # Errors
/// When an address, the certificate or the database cannot be used, or when requests outlast
/// `server.shutdown_timeout`.
pub fn run(settings: &Settings) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::Runtime)?;
    let result = runtime.block_on(serve(settings));
    // A request past its deadline may still hold a thread: the process must not wait for it.
    runtime.shutdown_background();
    result
}

/// Brings the database's tables up to date and does nothing else; gives the names of the migrations.
///
/// # Errors
/// When the database cannot be opened, or a migration fails.
pub fn migrate(settings: &Settings) -> Result<Vec<String>, Error> {
    let runtime = Runtime::new().map_err(Error::Runtime)?;
    Ok(runtime.block_on(Db::migrate(&settings.database))?)
}

/// Checks what can be checked before anything is started.
///
/// # Errors
/// When the certificate cannot be used.
pub fn check(settings: &Settings) -> Result<(), Error> {
    Ok(tls::check(&settings.server.tls)?)
}

async fn serve(settings: &Settings) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals().map_err(Error::Signals)?;
    let tls = Acceptor::start(&settings.server.tls)?;

    // Before the database: a second copy started by mistake must not migrate the first one's.
    let (listener, address) = listen(settings.server.host, settings.server.port).await?;
    let (admin, admin_address) = listen(settings.admin.host, settings.admin.port).await?;

    // Alive, but not ready, while the database is waited for. It answers until the very end.
    let readiness = Readiness::new(shutdown.clone());
    let metrics = Metrics::new();
    let (_until_the_end, never) = Shutdown::by_hand();
    let admin_router = http::admin_router(readiness.clone(), metrics.clone());
    let admin_settings = settings.server.clone();
    tokio::spawn(async move { accept::serve(admin, None, admin_router, &admin_settings, never).await });

    let db = select! {
        opened = Db::open(&settings.database) => opened?,
        () = shutdown.clone().requested() => return Ok(()),
    };
    readiness.watch(db.clone());
    metrics.watch(db.clone());
    info!(%address, admin = %admin_address, backend = db::BACKEND, "listening");

    let state = AppState {
        db: db.clone(),
        events: Events::default(),
        shutdown: shutdown.clone(),
        body_timeout: settings.server.body_timeout,
    };
    let router = http::router(state, readiness, metrics, &settings.server);
    let limit = settings.server.shutdown_timeout;
    let deadline = async {
        shutdown.clone().requested().await;
        tokio::time::sleep(settings.server.drain_time + limit).await;
    };
    let finished = async {
        accept::serve(listener, tls, router, &settings.server, shutdown.clone()).await;
        db.close().await;
    };
    select! {
        () = finished => {}
        () = deadline => return Err(Error::Deadline(limit)),
    }
    info!("stopped");
    Ok(())
}

async fn listen(host: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), Error> {
    let address = SocketAddr::new(host, port);
    let cannot_listen = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    Ok((listener, address))
}
