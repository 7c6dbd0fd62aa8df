//! Who may ask, and what every answer says to the browser.
//!
//! A page of somebody else that is open in the same browser can send requests to this machine: as a form, as a script, or
//! under a name of its own that it has point here
//! ([DNS rebinding](https://en.wikipedia.org/wiki/DNS_rebinding)). None of them has both a name of ours and the secret.

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use super::answer::refused;

/// The cookie of a browser that came in.
pub(super) const COOKIE_NAME: &str = "kitchen";

/// Nothing from anywhere else, no script or style within a page, and no page within a page of others.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The names under which this machine may be asked, each with its port.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Vec<String>,
    scheme: &'static str,
}

impl Hosts {
    /// The names of a server on `port`: those of this machine for itself, and `others`.
    pub fn new(port: u16, others: &[String], is_tls: bool) -> Hosts {
        let own = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned);
        let names =
            own.iter().chain(others).map(|name| format!("{}:{port}", name.to_ascii_lowercase())).collect();
        Hosts { names, scheme: if is_tls { "https" } else { "http" } }
    }

    /// Whether a request for this host is for us.
    fn has(&self, host: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Whether a page of this origin is ours.
    fn has_origin(&self, origin: &str) -> bool {
        let host = origin.strip_prefix(self.scheme).and_then(|rest| rest.strip_prefix("://"));
        host.is_some_and(|host| self.has(host))
    }

    /// Whether cookies may only travel over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == "https"
    }
}

/// Lets only those on who ask this machine by a name of its own, and from a page of its own, if from any.
pub(super) async fn only_from_here(State(app): State<App>, request: Request, next: Next) -> Response {
    let refusal = foreign(&app, &request);
    let response = match refusal {
        Some((status, why)) => refused(status, why),
        None => next.run(request).await,
    };
    with_headers(response)
}

/// Lets only those on who have shown a secret.
pub(super) async fn only_known(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_known = bearer(headers).is_some_and(|key| app.secrets.is_key(key))
        || cookies(headers).any(|session| app.secrets.is_session(session));
    match is_known {
        true => next.run(request).await,
        false => refused(
            StatusCode::UNAUTHORIZED,
            "Open the address that `cargo xtask kitchen` prints. It lets one browser in; `cargo xtask kitchen --open` prints a new one.",
        ),
    }
}

fn foreign(app: &App, request: &Request) -> Option<(StatusCode, &'static str)> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => return Some((StatusCode::BAD_REQUEST, "A request has one header `host`.")),
    };
    let named = request.uri().authority().map_or(host, |authority| authority.as_str());
    if !app.hosts.has(host) || !app.hosts.has(named) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "This machine has another name."));
    }
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let is_ours = origins.all(|origin| origin.to_str().is_ok_and(|origin| app.hosts.has_origin(origin)));
    if !is_ours {
        return Some((StatusCode::FORBIDDEN, "Pages of others may not ask."));
    }
    // A browser names its page with all that could change something; a program shows the key instead.
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    let has_origin = request.headers().contains_key(ORIGIN);
    if is_change && !has_origin && bearer(request.headers()).is_none() {
        return Some((StatusCode::FORBIDDEN, "Say from which page, or show the key."));
    }
    None
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let pairs =
        headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

fn with_headers(mut response: Response) -> Response {
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (OPENER, "same-origin"),
        (RESOURCE, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
