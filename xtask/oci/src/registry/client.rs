//! Requests to one repository: with a token when the registry wants one, again when it is worth it.

use anyhow::{Context as _, Result};
use image_spec::{Registries, Repository};
use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::auth::Authorizer;
use super::location::Location;
use super::retry::{Failure, Policy};
use super::source::{FilePart, Source};
use super::transport::{Expected, Patience, Payload, Transport, refusal};

/// The most that an answer which is no blob may hold, in bytes: what the distribution specification has registries take
/// as a manifest.
pub const MAX_DOCUMENT: u64 = 4 << 20;

/// What an answer may take that is no blob.
pub(super) const DOCUMENT: Expected = Expected { body: MAX_DOCUMENT, stored: 0 };

/// How registries are spoken to.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Connections that are open already are used again.
    transport: Transport,
    policy: Policy,
    registries: Registries,
}

impl Connection {
    /// With the usual patience.
    pub fn new(registries: &Registries) -> Connection {
        Connection::with(registries, Patience::default(), Policy::default())
    }

    /// With other limits.
    pub fn with(registries: &Registries, patience: Patience, policy: Policy) -> Connection {
        Connection { transport: Transport::new(patience), policy, registries: registries.clone() }
    }

    /// A client that pulls from `repository`, or from what mirrors it.
    pub fn to_pull(&self, repository: &Repository) -> Client {
        let location = Location::to_pull(repository, &self.registries);
        let scopes = vec![format!("repository:{}:pull", location.repository)];
        self.client(location, scopes, Vec::new())
    }

    /// A client that pushes to `repository`, where blobs may be mounted from those of `sources` that are in the same
    /// registry.
    pub fn to_push(&self, repository: &Repository, sources: &[Repository]) -> Client {
        let location = Location::to_push(repository, &self.registries);
        let sources = sources.iter().map(|source| Location::to_pull(source, &self.registries));
        let sources =
            sources.filter(|s| s.registry == location.registry && s.repository != location.repository);
        let mut sources = sources.map(|source| source.repository).collect::<Vec<_>>();
        sources.sort();
        sources.dedup();
        // To mount from a repository takes the right to pull from it, in the same token.
        let own = format!("repository:{}:pull,push", location.repository);
        let theirs = sources.iter().map(|source| format!("repository:{source}:pull"));
        let scopes = [own].into_iter().chain(theirs).collect();
        self.client(location, scopes, sources)
    }

    fn client(&self, location: Location, scopes: Vec<String>, sources: Vec<String>) -> Client {
        let (transport, policy) = (self.transport.clone(), self.policy);
        Client { transport, policy, location, sources, authorizer: Authorizer::new(scopes) }
    }
}

/// Speaks to one repository of a registry, by the
/// [distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    pub(super) policy: Policy,
    pub(super) location: Location,
    /// Repositories of the same registry that blobs may be mounted from.
    pub(super) sources: Vec<String>,
    authorizer: Authorizer,
}

/// A request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) source: Source<'a>,
    pub(super) expected: Expected,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, url: &'a str) -> Call<'a> {
        Call { method, url, headers: Vec::new(), source: Source::Empty, expected: DOCUMENT }
    }
}

impl Client {
    /// The repository, for people.
    pub fn name(&self) -> String {
        format!("{}/{}", self.location.registry, self.location.repository)
    }

    /// Sends a request, and once more with a token if the registry wants one.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Response<Body>, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let value =
                HeaderValue::from_str(value).with_context(|| format!("the header {name}: {value:?}"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let is_ours = self.location.owns(call.url);
        let used = self.authorizer.header().filter(|_| is_ours);
        let answer = self.send_with(call, &headers, used.as_ref())?;
        if answer.status() != StatusCode::UNAUTHORIZED || !is_ours {
            return Ok(answer);
        }
        self.authorizer.renew(&self.transport, &self.location, answer.headers(), used.as_ref())?;
        self.send_with(call, &headers, self.authorizer.header().as_ref())
    }

    fn send_with(
        &self,
        call: &Call<'_>,
        headers: &HeaderMap,
        token: Option<&HeaderValue>,
    ) -> Result<Response<Body>, Failure> {
        let mut headers = headers.clone();
        headers.extend(token.map(|token| (HeaderName::from_static("authorization"), token.clone())));
        let mut part;
        let payload = match call.source {
            Source::Empty => Payload::Empty,
            Source::Bytes(bytes) => Payload::Bytes(bytes),
            Source::Part { path, offset, size } => {
                part = FilePart::open(path, offset, size)?;
                Payload::Stream(&mut part, size)
            }
        };
        self.transport.send(call.method.clone(), call.url, &headers, payload, call.expected)
    }

    /// Sends a request whose answer must have one of these statuses. `what` says what it was for.
    pub(super) fn expect(
        &self,
        what: &str,
        call: &Call<'_>,
        statuses: &[StatusCode],
    ) -> Result<Response<Body>, Failure> {
        let answer = self.send(call)?;
        if statuses.contains(&answer.status()) { Ok(answer) } else { Err(refusal(what, answer)) }
    }
}

/// A header as text.
pub(super) fn header<'a>(answer: &'a Response<Body>, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}
