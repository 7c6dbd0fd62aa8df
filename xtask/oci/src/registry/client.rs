//! Requests to one repository: with a token when the registry wants one, again when it is worth it.

use anyhow::{Context as _, Result, anyhow};
use image_spec::{Registries, Repository};
use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::auth::Authorizer;
use super::location::Location;
use super::retry::{Failure, Policy};
use super::source::{FilePart, Source};
use super::transport::{Expected, Patience, Payload, Transport, host, refusal};

/// The most that an answer which is no blob may hold, in bytes: what the distribution specification has registries take
/// as a manifest.
pub const MAX_DOCUMENT: u64 = 4 << 20;

/// What an answer may take that is no blob.
pub(super) const DOCUMENT: Expected = Expected { body: MAX_DOCUMENT, stored: 0 };

/// How often a request is sent elsewhere before that is taken for a circle.
const MAX_REDIRECTS: u32 = 5;

/// How many tokens a request is worth. One that others have used up is no reason to give up.
const MAX_TOKENS: u32 = 3;

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

    /// Sends a request, again with a token if the registry wants one, and to where the registry sends it.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Response<Body>, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let value =
                HeaderValue::from_str(value).with_context(|| format!("the header {name}: {value:?}"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut url = call.url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let is_ours = self.location.owns(&url);
            let answer = if is_ours {
                self.send_authorized(call, &url, &headers)?
            } else {
                self.send_with(call, &url, &headers, None)?
            };
            match redirect(&call.method, &answer) {
                Some(place) => url = self.location.resolve(&url, place)?,
                // A link elsewhere, not the right to it, has run out. The registry makes new ones.
                None if !is_ours && url != call.url && answer.status().is_client_error() => {
                    return Err(Failure::passing(anyhow!("{} answers {}", host(&url), answer.status())));
                }
                None => return Ok(answer),
            }
        }
        Err(Failure::Final(anyhow!("{} sends us round in circles", self.location.registry)))
    }

    /// Sends a request to the registry itself.
    fn send_authorized(
        &self,
        call: &Call<'_>,
        url: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        let mut token = self.authorizer.header();
        let mut answer = self.send_with(call, url, headers, token.as_ref())?;
        for _ in 0..MAX_TOKENS {
            if answer.status() != StatusCode::UNAUTHORIZED {
                break;
            }
            let refused = token;
            self.authorizer.renew(&self.transport, &self.location, answer.headers(), refused.as_ref())?;
            token = self.authorizer.header();
            if token == refused {
                break;
            }
            answer = self.send_with(call, url, headers, token.as_ref())?;
        }
        Ok(answer)
    }

    fn send_with(
        &self,
        call: &Call<'_>,
        url: &str,
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
        self.transport.send(call.method.clone(), url, &headers, payload, call.expected)
    }

    /// Sends a request whose answer must have one of these statuses. `what` says what it was for.
    pub(super) fn expect(
        &self,
        what: &str,
        call: &Call<'_>,
        statuses: &[StatusCode],
    ) -> Result<Response<Body>, Failure> {
        self.expect_or(what, call, statuses, |_, failure| failure)
    }

    /// The same, where `judge` knows more of what a failure with a status means.
    pub(super) fn expect_or(
        &self,
        what: &str,
        call: &Call<'_>,
        statuses: &[StatusCode],
        judge: impl FnOnce(StatusCode, Failure) -> Failure,
    ) -> Result<Response<Body>, Failure> {
        let answer = self.send(call)?;
        let status = answer.status();
        if statuses.contains(&status) { Ok(answer) } else { Err(judge(status, refusal(what, answer))) }
    }
}

/// Where an answer sends this request, if it does. Only questions may be repeated after each of the redirects; what
/// carries something only after those that say so.
fn redirect<'a>(method: &Method, answer: &'a Response<Body>) -> Option<&'a str> {
    let is_question = matches!(*method, Method::GET | Method::HEAD);
    match answer.status() {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => header(answer, "location"),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER if is_question => {
            header(answer, "location")
        }
        _ => None,
    }
}

/// A header as text.
pub(super) fn header<'a>(answer: &'a Response<Body>, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}
