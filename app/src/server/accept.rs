//! Accepting connections, within limits, and letting them go when the service stops. HTTP/1.1 only: a proxy in front
//! speaks whatever its clients like.
//!
//! `axum::serve` would do, but it has no limit of connections and no time limit for a request's header.

use std::{convert::Infallible, future::Future, io, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::ServiceExt;
use tracing::{debug, warn};

use super::tls::Acceptor;
use crate::{config, shutdown::Shutdown};

/// When the process has no more file descriptors, accepting at once again would fail at once again.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// How long a connection that is open when all are to be closed may still bring a request: it could be on its way.
const LAST_CHANCE: Duration = Duration::from_millis(200);

/// Serves the router to every connection until told to stop, then until the last one is done.
///
/// After the signal to stop, new connections and requests are still answered for `server.drain_time`, with
/// `connection: close`: load balancers and clients with open connections learn of it without losing a request.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Acceptor>,
    router: Router,
    settings: &config::Server,
    shutdown: Shutdown,
) {
    let limit = settings.max_connections.get().min(Semaphore::MAX_PERMITS);
    let free = Arc::new(Semaphore::new(limit));
    let (close, closing) = Shutdown::by_hand();
    let connections = Connections {
        tls,
        router,
        header_timeout: settings.header_timeout,
        shutdown: shutdown.clone(),
        closing,
    };

    let drained = async {
        shutdown.requested().await;
        sleep(settings.drain_time).await;
    };
    let accept_all = async || {
        loop {
            // Before accepting: whoever comes beyond the limit waits in the system's queue.
            let Ok(permit) = free.clone().acquire_owned().await else { return };
            connections.start(accept(&listener).await, permit);
        }
    };
    select! {
        () = drained => {}
        () = accept_all() => {}
    }

    close.send_replace(true);
    // Closing the listener would cut off everyone who is in the system's queue, or on the way into it, and has been told
    // that it is connected. So nobody new gets there, and who is there already is served.
    ignore_newcomers(&listener);
    let _ = timeout(LAST_CHANCE, accept_all()).await;
    while let Ok(permit) = free.clone().acquire_owned().await
        && let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await
    {
        connections.start(stream, permit);
    }
    drop(listener);
    // When nobody holds a permit any more, every connection is done.
    let _ = free.acquire_many(u32::try_from(limit).unwrap_or(u32::MAX)).await;
}

/// Has the kernel drop every packet that asks for a connection. Clients ask again after a second: another instance, if
/// there is one behind the same address; else they are refused. Where there is no such filter, a few are cut off.
#[cfg(target_os = "linux")]
fn ignore_newcomers(listener: &TcpListener) {
    use socket2::{SockFilter, SockRef};

    // What `tcpdump -dd` writes for a set SYN bit in the 13th byte of a TCP header: return 0 bytes of it, else all.
    const NO_SYN: [SockFilter; 4] = [
        SockFilter::new(0x30, 0, 0, 13),
        SockFilter::new(0x45, 0, 1, 0x02),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&NO_SYN) {
        debug!(%error, "cannot keep newcomers away");
    }
}

#[cfg(not(target_os = "linux"))]
fn ignore_newcomers(_: &TcpListener) {}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client gave up before its turn came.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// What every connection gets.
#[derive(Clone)]
struct Connections {
    tls: Option<Acceptor>,
    router: Router,
    header_timeout: Duration,
    /// The signal to stop.
    shutdown: Shutdown,
    /// The end of the time to drain.
    closing: Shutdown,
}

impl Connections {
    fn start(&self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        // Answers are small: sent when written, they do not wait for the client's acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "cannot set TCP_NODELAY");
        }
        let connection = self.clone();
        tokio::spawn(async move {
            let _permit = permit;
            match &connection.tls {
                None => connection.serve(stream).await,
                Some(tls) => {
                    let handshake = timeout(connection.header_timeout, tls.accept(stream));
                    match connection.unless_closing(handshake).await {
                        Some(Ok(Ok(stream))) => connection.serve(stream).await,
                        Some(Ok(Err(error))) => debug!(%error, "TLS handshake"),
                        Some(Err(_)) | None => debug!("TLS handshake took too long"),
                    }
                }
            }
        });
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.answer(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // hyper starts it while waiting for the first byte, so that it ends idle connections as well.
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);

        let ended = match self.unless_closing(connection.as_mut()).await {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            // Clients that go away are everyday business.
            debug!(%error, "connection");
        }
    }

    /// What comes of it, if that is before the connection has to close.
    async fn unless_closing<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let closing = async {
            self.closing.clone().requested().await;
            sleep(LAST_CHANCE).await;
        };
        select! {
            result = work => Some(result),
            () = closing => None,
        }
    }

    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<axum::response::Response, Infallible>> + use<> {
        let (router, shutdown) = (self.router.clone(), self.shutdown.clone());
        async move {
            let mut response = router.oneshot(request).await?;
            if shutdown.is_requested() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }
}
