//! HTTP to a registry: one connection pool, limits on time, the certificates of this machine.

use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Error, anyhow};
use ureq::http::{self, HeaderMap, Method, Request, Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body, SendBody};

use super::retry::Failure;
use super::route;

/// Limits on how long a registry may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To be connected, TLS included.
    pub connect: Duration,
    /// For the head of an answer, after the request is sent.
    pub answer: Duration,
    /// Between two pieces of what comes or goes.
    pub piece: Duration,
    /// The slowest pace at which a body may come or go, in bytes a second.
    pub pace: u64,
    /// The slowest pace at which a registry may store what it got before it answers, in bytes a second.
    pub store: u64,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(15),
            answer: Duration::from_secs(30),
            piece: Duration::from_secs(30),
            pace: 16 << 10,
            store: 8 << 20,
        }
    }
}

impl Patience {
    /// How long a body of `size` bytes may take.
    fn body(&self, size: u64) -> Duration {
        self.piece + Duration::from_secs(size / self.pace)
    }

    /// How long an answer may take that has `stored` bytes hashed and put away first.
    fn answer(&self, stored: u64) -> Duration {
        self.answer + Duration::from_secs(stored / self.store)
    }
}

/// What an answer may take.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// How many bytes its body has at most.
    pub body: u64,
    /// How many bytes the registry hashes and puts away before it answers.
    pub stored: u64,
}

/// What is sent.
pub enum Payload<'a> {
    /// Nothing.
    Empty,
    /// A short text.
    Bytes(&'a [u8]),
    /// So many bytes of a stream.
    Stream(&'a mut dyn Read, u64),
}

impl Payload<'_> {
    fn size(&self) -> u64 {
        match self {
            Payload::Empty => 0,
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Stream(_, size) => *size,
        }
    }
}

/// Speaks HTTP. Copies share their connections.
#[derive(Clone, Debug)]
pub struct Transport {
    /// Made when it is first needed: to read the certificates of a machine takes a while.
    agent: Arc<OnceLock<Agent>>,
    patience: Patience,
}

impl Transport {
    /// Uses the certificates that this machine trusts, and HTTPS_PROXY and NO_PROXY.
    pub fn new(patience: Patience) -> Transport {
        Transport { agent: Arc::default(), patience }
    }

    fn agent(&self) -> &Agent {
        self.agent.get_or_init(|| {
            let patience = &self.patience;
            let config = Agent::config_builder()
                .tls_config(TlsConfig::builder().root_certs(roots()).build())
                .user_agent(concat!("xtask-oci/", env!("CARGO_PKG_VERSION")))
                .http_status_as_error(false)
                // Who follows has to know which of them may see a token.
                .max_redirects(0)
                .timeout_connect(Some(patience.connect))
                .timeout_per_write(Some(patience.piece))
                .build();
            config.into()
        })
    }

    /// Sends a request. An answer with an error status is an answer too.
    ///
    /// # Errors
    /// There is no answer. Nearly all of those may pass.
    pub fn send(
        &self,
        method: Method,
        url: &str,
        headers: &HeaderMap,
        payload: Payload<'_>,
        expected: Expected,
    ) -> Result<Response<Body>, Failure> {
        // Without a length it would go in chunks, which some registries and proxies refuse.
        let has_length = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let size = payload.size();
        if has_length {
            request = request.header("content-length", size);
        }
        match payload {
            Payload::Empty => self.run(request.body(()), url, size, expected),
            Payload::Bytes(mut bytes) => {
                self.run(request.body(SendBody::from_reader(&mut bytes)), url, size, expected)
            }
            Payload::Stream(mut reader, _) => {
                self.run(request.body(SendBody::from_reader(&mut reader)), url, size, expected)
            }
        }
    }

    fn run<S: AsSendBody>(
        &self,
        request: http::Result<Request<S>>,
        url: &str,
        size: u64,
        expected: Expected,
    ) -> Result<Response<Body>, Failure> {
        let patience = &self.patience;
        let answer = patience.answer(expected.stored);
        let request = request.map_err(|error| Failure::Final(anyhow!("{url}: {error}")))?;
        let mut configured = self
            .agent()
            .configure_request(request)
            .timeout_send_body(Some(patience.body(size)))
            .timeout_recv_response(Some(answer))
            .timeout_recv_body(Some(patience.body(expected.body)))
            // This limits the wait for the head, too.
            .timeout_per_read(Some(answer.max(patience.piece)));
        if route::is_direct(url) {
            configured = configured.proxy(None);
        }
        self.agent().run(configured.build()).map_err(|error| no_answer(url, &error))
    }
}

/// The certificates of this machine or, where it has none, Mozilla's.
fn roots() -> RootCerts {
    let native = rustls_native_certs::load_native_certs().certs;
    if native.is_empty() {
        return RootCerts::WebPki;
    }
    let owned = native.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    RootCerts::Specific(Arc::new(owned.collect()))
}

/// Whom a URL asks. The rest of it may be secret.
pub fn host(url: &str) -> &str {
    url.split(['/', '?']).nth(2).unwrap_or("it")
}

fn no_answer(url: &str, error: &ureq::Error) -> Failure {
    let host = host(url);
    match error {
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Failure::Final(anyhow!(
            "the certificate of {host} is not trusted: {error}; add its authority to this machine (SSL_CERT_FILE), or \
             name it in [registries] insecure"
        )),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            Failure::Final(anyhow!("cannot ask {host}: {error}"))
        }
        ureq::Error::Timeout(phase) => Failure::passing(anyhow!("{host} took too long ({phase})")),
        ureq::Error::Io(error) => Failure::passing(anyhow!("cannot reach {host}: {error}")),
        _ => Failure::passing(anyhow!("cannot reach {host}: {error}")),
    }
}

/// What an error status means. The registry's own words are in the body, as the
/// [distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes) has it.
pub fn refusal(what: &str, answer: Response<Body>) -> Failure {
    let (status, wish) = (answer.status(), retry_after(answer.headers()));
    let error = anyhow!("{what}: {status}{}", words(answer));
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Failure::Passing(error, wish),
        status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => {
            Failure::Passing(error, wish)
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Final(error.context(
            "the registry refuses; log in with `docker login` or `podman login` as somebody who may do this",
        )),
        _ => Failure::Final(error),
    }
}

/// Retry-After in seconds. Its other form, a date, is rare and means no more than "later".
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What a registry says of an error, in a line that cannot hide anything: at most 300 characters, no control characters.
fn words(mut answer: Response<Body>) -> String {
    let text = answer.body_mut().with_config().limit(16 * 1024).lossy_utf8(true).read_to_string();
    let text = text.unwrap_or_default();
    let document: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let errors = document.as_ref().and_then(|document| document["errors"].as_array()).cloned();
    let said = match errors {
        Some(errors) => {
            let word = |error: &serde_json::Value| {
                let part = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
                format!("{} {}", part("code"), part("message")).trim().to_owned()
            };
            errors.iter().map(word).collect::<Vec<_>>().join(", ")
        }
        None => text,
    };
    let clean = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect::<String>();
    if clean.trim().is_empty() { String::new() } else { format!(" ({})", clean.trim()) }
}

/// An error while a body came or went: the connection was cut, most likely.
pub fn cut(what: &str, error: impl Into<Error>) -> Failure {
    Failure::passing(error.into().context(what.to_owned()))
}
