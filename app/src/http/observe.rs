//! What is known of every request: its id, its trace, its line in the log, its place in the metrics, its limits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{sync::Semaphore, time::timeout};
use tracing::{Instrument, Span, field, info, info_span};

use super::problem::Problem;
use crate::{metrics::Metrics, telemetry::trace};

/// Where the id of a request stands, in requests and answers.
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_LENGTH: usize = 64;

#[derive(Clone)]
pub(super) struct Observer {
    pub(super) metrics: Metrics,
    /// One for each request that may be handled at once.
    pub(super) places: Arc<Semaphore>,
    /// A request that takes longer is answered 503.
    pub(super) request_timeout: Duration,
    /// Whether clients may be told to come by TLS only.
    pub(super) is_tls: bool,
}

/// Outside all that answers: it sees what the client gets, refusals and panics included.
pub(super) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = observer.metrics.begin();
    let id = request_id(request.headers());
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let span = span(&request, &id, route);

    let mut response = answer(&observer, request, next).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        // Layers in between have set headers that are to stay.
        let (head, body) = problem.with_request_id(id.to_str().ok()).into_parts();
        *response.body_mut() = body;
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().remove(header::CONTENT_ENCODING);
        response.headers_mut().extend(head.headers);
    }
    let status = response.status().as_u16();
    let took = started.elapsed();
    observer.metrics.answered(method, route, status, took);
    trace::finish(&span, status);
    info!(parent: &span, status, latency_ms = (took.as_secs_f64() * 1e6).round() / 1e3, "answered");
    harden(response.headers_mut(), observer.is_tls);
    response.headers_mut().insert(&REQUEST_ID, id);
    response
}

/// Within the limits. A queue would only make everyone wait: what is beyond them is refused at once.
async fn answer(observer: &Observer, request: Request, next: Next) -> Response {
    let refuse = |why| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    let Ok(_place) = observer.places.try_acquire() else {
        observer.metrics.rejected();
        return refuse("too many requests at once; try again");
    };
    let answer = timeout(observer.request_timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| refuse("the request took too long; try again"))
}

/// The path without its query, which may hold what nobody wants in a log.
fn span(request: &Request, id: &HeaderValue, route: &str) -> Span {
    let span = info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        route,
        request_id = id.to_str().unwrap_or_default(),
        trace_id = field::Empty,
    );
    trace::continue_in(&span, request.headers());
    span
}

/// The client's id, as long as nobody could hide something in it; else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    match headers.get(&REQUEST_ID) {
        Some(id) if (1..=MAX_ID_LENGTH).contains(&id.len()) && id.as_bytes().iter().all(is_plain) => {
            id.clone()
        }
        // Hexadecimal digits are valid in a header.
        _ => HeaderValue::from_str(&format!("{:032x}", fastrand::u128(..)))
            .unwrap_or(const { HeaderValue::from_static("") }),
    }
}

/// Clients may invent methods, and every name would be a series of its own in the metrics.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Headers that cost nothing and close doors (<https://owasp.org/www-project-secure-headers/>), unless a handler has
/// set its own.
fn harden(headers: &mut HeaderMap, is_tls: bool) {
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
