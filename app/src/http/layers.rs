//! What surrounds every request: limits, compression, and what browsers are told.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    cors::CorsLayer,
};

use super::{notes, observe, problem::Problem};
use crate::{config, metrics::Metrics};

/// Below this many bytes, compressing costs more than it saves.
const WORTH_COMPRESSING: u64 = 1024;

/// Puts around the routes what every request needs; the first layer is the outermost.
pub(super) fn surround(routes: Router, metrics: Metrics, settings: &config::Server) -> Router {
    let compressible = SizeAbove::new(WORTH_COMPRESSING).and(NotForContentType::SSE);
    let observer = observe::Observer {
        metrics,
        places: Arc::new(Semaphore::new(settings.max_requests.get())),
        request_timeout: settings.request_timeout,
        is_tls: settings.tls.certificate.is_some(),
    };

    let layers = ServiceBuilder::new()
        // Scripts may read refusals too. Questions whether they may ask at all end here.
        .option_layer(cors(&settings.cors_origins))
        .layer(from_fn_with_state(observer, observe::observe))
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(DefaultBodyLimit::max(notes::MAX_REQUEST_BYTES));

    routes.fallback(no_such_path).method_not_allowed_fallback(no_such_method).layer(layers)
}

/// None without origins: then browsers allow pages of the service itself only.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    // What is no header value is no origin either.
    let origins: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH])
            .expose_headers([header::ETAG, header::LOCATION, observe::REQUEST_ID.clone()])
            .max_age(Duration::from_secs(3600))
    })
}

pub(super) async fn no_such_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path")
}

pub(super) async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the Allow header lists the methods of this path")
}

/// Says nothing of the panic: its hook has printed the message and the place.
fn after_panic(_: Box<dyn Any + Send>) -> Response {
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::{body::Body, extract::Request, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn panics() {
        panic!("for the test");
    }

    #[tokio::test]
    async fn panics_and_late_answers_become_problems_and_give_their_places_back() {
        let settings = config::Server {
            request_timeout: Duration::from_millis(10),
            max_requests: 2.try_into().unwrap(),
            ..config::Server::default()
        };
        let routes = Router::new().route("/panics", get(panics)).route("/late", get(pending::<()>));
        let router = surround(routes, Metrics::new(), &settings);

        let paths = [("/panics", 500); 100].into_iter().chain([("/late", 503); 5]).chain([("/nothing", 404)]);
        for (path, status) in paths {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }
}
