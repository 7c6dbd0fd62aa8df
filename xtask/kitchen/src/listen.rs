//! Where Kitchen listens: on this machine for itself, and for others where somebody asked for that.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use xtask_kitchen::web::Hosts;

use crate::flags::KitchenFlags;

/// How many may be about to agree upon TLS at once, and how long each has for it.
const HANDSHAKES: usize = 64;
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A socket that listens, and the names by which it is asked.
pub(crate) struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    pub(crate) hosts: Hosts,
    /// Its page.
    pub(crate) url: String,
}

impl Door {
    /// For this machine alone.
    ///
    /// # Errors
    /// When the port is taken.
    pub(crate) async fn here(port: u16) -> Result<Door> {
        let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "--port").await?;
        let port = listener.local_addr().context("the port")?.port();
        let (hosts, url) = (Hosts::new(port, &[], false), format!("http://127.0.0.1:{port}"));
        Ok(Door { listener, tls: None, hosts, url })
    }

    /// For others, if there are to be any.
    ///
    /// # Errors
    /// When the address is not this machine's or taken, nobody could name it, or the certificate cannot be used.
    pub(crate) async fn for_others(flags: &KitchenFlags) -> Result<Option<Door>> {
        let Some(address) = flags.host else { return Ok(None) };
        let mut names = flags.names.clone();
        if !address.ip().is_unspecified() {
            let name = SocketAddr::new(address.ip(), 0).to_string();
            names.push(name.trim_end_matches(":0").to_owned());
        }
        ensure!(
            !names.is_empty(),
            "--host {} is every address of this machine: say by --name which one others ask for",
            address.ip()
        );
        let tls = match (&flags.tls_cert, &flags.tls_key) {
            (Some(chain), Some(key)) => Some(acceptor(chain, key)?),
            _ => None,
        };
        let listener = bind(address, "--host").await?;
        let port = listener.local_addr().context("the port")?.port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}:{port}", names[0]);
        Ok(Some(Door { listener, hosts: Hosts::new(port, &names, tls.is_some()), tls, url }))
    }

    /// Serves, until it is aborted.
    pub(crate) fn serve(self, router: Router) -> JoinHandle<io::Result<()>> {
        match self.tls {
            None => tokio::spawn(async move { axum::serve(self.listener, router).await }),
            Some(tls) => {
                tokio::spawn(async move { axum::serve(TlsListener::of(self.listener, tls)?, router).await })
            }
        }
    }
}

async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; {flag} names another"))
}

fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor> {
    let cannot = |path: &Path| format!("cannot use {}", path.display());
    let pem = |path: &Path| fs::read(path).with_context(|| cannot(path));
    let certificates = CertificateDer::pem_slice_iter(&pem(chain)?).collect::<Result<Vec<_>, _>>();
    let private = PrivateKeyDer::from_pem_slice(&pem(key)?).with_context(|| cannot(key))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates.with_context(|| cannot(chain))?, private)
        .with_context(|| cannot(chain))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Connections over TLS, each handed on when both sides have agreed.
struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    fn of(listener: TcpListener, tls: TlsAcceptor) -> io::Result<TlsListener> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(1);
        tokio::spawn(agree(listener, tls, sender));
        Ok(TlsListener { ready, address })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// One that takes its time holds up no other.
async fn agree(
    mut listener: TcpListener,
    tls: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    while let Ok(place) = places.clone().acquire_owned().await {
        let (stream, from) = Listener::accept(&mut listener).await;
        let (tls, ready) = (tls.clone(), ready.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                let _ = ready.send((stream, from)).await;
            }
            drop(place);
        });
    }
}
