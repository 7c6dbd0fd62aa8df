//! TLS for the service itself: one certificate, read again when its files change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{info, warn};

use crate::config;

/// Often enough for a certificate that is renewed days before it ends. Watching the files would miss Kubernetes,
/// which swaps a symbolic link two folders above them.
const POLL: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificate {certificate}: {reason}")]
pub struct CertificateError {
    certificate: PathBuf,
    reason: String,
}

/// Makes TLS of TCP; clones share the certificate.
#[derive(Clone)]
pub(super) struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Reads the certificate; none when the settings name none. From then on it is read again whenever it changes.
    ///
    /// # Errors
    /// When a file cannot be read, is not what it should be, or the two do not belong together.
    pub(super) fn start(settings: &config::Tls) -> Result<Option<Self>, CertificateError> {
        let Some(files) = Files::of(settings)? else { return Ok(None) };
        let (content, key) = files.load()?;
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| files.error(error))?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        tokio::spawn(async move { current.follow(&files, content).await });
        Ok(Some(Self(Arc::new(server).into())))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

/// Tells whether the certificate that the settings name, if any, can be used.
pub(super) fn check(settings: &config::Tls) -> Result<(), CertificateError> {
    match Files::of(settings)? {
        Some(files) => files.load().map(drop),
        None => Ok(()),
    }
}

/// ring, as everywhere in this program: two providers would double the cryptography in it.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

struct Files {
    certificate: PathBuf,
    private_key: PathBuf,
}

impl Files {
    fn of(settings: &config::Tls) -> Result<Option<Self>, CertificateError> {
        match (settings.certificate.clone(), settings.private_key.clone()) {
            (None, None) => Ok(None),
            (Some(certificate), Some(private_key)) => Ok(Some(Self { certificate, private_key })),
            (certificate, _) => Err(CertificateError {
                certificate: certificate.unwrap_or_default(),
                reason: "server.tls needs both, certificate and private_key".to_owned(),
            }),
        }
    }

    /// The files' content, to see later whether it has changed, and the certificate with its key.
    fn load(&self) -> Result<([Vec<u8>; 2], CertifiedKey), CertificateError> {
        let read = |file: &Path| {
            fs::read(file).map_err(|error| self.error(format!("cannot read {}: {error}", file.display())))
        };
        let content = [read(&self.certificate)?, read(&self.private_key)?];
        let chain = CertificateDer::pem_slice_iter(&content[0])
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.error(error))?;
        if chain.is_empty() {
            return Err(self.error("there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(&content[1])
            .map_err(|error| self.error(format!("{}: {error}", self.private_key.display())))?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| self.error(error))?;
        Ok((content, key))
    }

    fn error(&self, reason: impl ToString) -> CertificateError {
        CertificateError { certificate: self.certificate.clone(), reason: reason.to_string() }
    }
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    /// A new certificate that cannot be used leaves the old one in place.
    async fn follow(&self, files: &Files, mut content: [Vec<u8>; 2]) {
        let mut failure = None;
        loop {
            tokio::time::sleep(POLL).await;
            match files.load() {
                Ok((now, _)) if now == content => failure = None,
                Ok((now, key)) => {
                    *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                    content = now;
                    failure = None;
                    info!(certificate = %files.certificate.display(), "certificate reloaded");
                }
                Err(error) => {
                    let error = error.to_string();
                    if failure.as_ref() != Some(&error) {
                        warn!(error, "still using the certificate from before");
                        failure = Some(error);
                    }
                }
            }
        }
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
