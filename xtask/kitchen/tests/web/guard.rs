//! Who is let in, and who is not.

use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Method, StatusCode};
use xtask_kitchen::store::Filter;
use xtask_kitchen::web::routes;

use crate::support::{NAME, Server};

/// A path of a route.
fn path(route: &str) -> String {
    route.replace("{id}", "1").replace("{name}", "kitchen.css")
}

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

#[tokio::test]
async fn no_route_answers_who_has_no_secret() {
    let server = Server::new().await;
    let origin = format!("http://{NAME}");
    let mut closed = 0;
    for route in routes().into_iter().filter(|route| !route.is_open) {
        for method in METHODS {
            for secret in ["", "kitchen=", "kitchen=0", "other=1"] {
                let headers = [(HOST.as_str(), NAME), (ORIGIN.as_str(), &origin), (COOKIE.as_str(), secret)];
                let answer = server.ask(&method, &path(route.path), &headers, "{}").await;
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::METHOD_NOT_ALLOWED];
                assert!(refused.contains(&answer.status), "{method} {}: {}", route.path, answer.status);
                closed += usize::from(answer.status == StatusCode::UNAUTHORIZED);
            }
        }
        let headers = [(HOST.as_str(), NAME), (AUTHORIZATION.as_str(), "Bearer 0")];
        let answer = server.ask(&Method::GET, &path(route.path), &headers, "").await;
        assert!(!answer.status.is_success(), "{}", route.path);
    }
    assert!(closed >= 4 * 8, "the test has seen routes: {closed}");
    let open: Vec<_> = routes().into_iter().filter(|route| route.is_open).map(|route| route.path).collect();
    assert_eq!(open, ["/enter", "/assets/{name}"]);
}

#[tokio::test]
async fn a_request_for_another_name_is_refused_on_every_route() {
    let server = Server::new().await;
    let key = format!("Bearer {}", server.key);
    let wrong: [&[&str]; 9] = [
        &[],
        &[NAME, NAME],
        &[NAME, "evil.example:4321"],
        &["evil.example:4321"],
        &["127.0.0.1.evil.example:4321"],
        &["127.0.0.1"],
        &["127.0.0.1:4322"],
        &["user@127.0.0.1:4321"],
        &["127.0.0.1:4321/x"],
    ];
    let all = routes().into_iter().map(|route| path(route.path)).chain(["/nothing".to_owned()]);
    for path in all {
        for hosts in wrong {
            let mut headers: Vec<_> = hosts.iter().map(|host| (HOST.as_str(), *host)).collect();
            headers.push((AUTHORIZATION.as_str(), &key));
            let answer = server.ask(&Method::GET, &path, &headers, "").await;
            let refused = [StatusCode::BAD_REQUEST, StatusCode::MISDIRECTED_REQUEST];
            assert!(refused.contains(&answer.status), "{path} for {hosts:?}: {}", answer.status);
        }
        let absolute = format!("http://evil.example:4321{path}");
        let answer = server.ask(&Method::GET, &absolute, &[(HOST.as_str(), NAME)], "").await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{absolute}");
    }
    for name in ["127.0.0.1:4321", "localhost:4321", "LOCALHOST:4321", "[::1]:4321"] {
        let headers = [(HOST.as_str(), name), (AUTHORIZATION.as_str(), &key)];
        assert_eq!(server.ask(&Method::GET, "/", &headers, "").await.status, StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn pages_of_others_change_and_read_nothing() {
    let server = Server::new().await;
    let key = format!("Bearer {}", server.key);
    for origin in
        ["null", "http://evil.example", "http://127.0.0.1:4322", "https://127.0.0.1:4321", "http://localhost"]
    {
        for (method, path) in [(Method::GET, "/"), (Method::POST, "/api/builds"), (Method::POST, "/enter")] {
            let headers = [(HOST.as_str(), NAME), (ORIGIN.as_str(), origin), (AUTHORIZATION.as_str(), &key)];
            let answer = server.ask(&method, path, &headers, "{}").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} from {origin}");
        }
    }
    // A form of another page, in a browser that says nothing of it.
    let session = enter(&server).await;
    let headers = [(HOST.as_str(), NAME), (COOKIE.as_str(), session.as_str())];
    let answer = server.ask(&Method::POST, "/api/builds", &headers, "{}").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(server.app.cook.store().page(&Filter::default()).await.unwrap().0.is_empty());
}

async fn enter(server: &Server) -> String {
    let token = server.app.secrets.token().unwrap();
    let body = format!("{{\"token\":\"{token}\"}}");
    let answer = server.as_page(Method::POST, "/enter", "", &body).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
    let again = server.as_page(Method::POST, "/enter", "", &body).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "a token is for once");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_token_is_exchanged_once_for_a_cookie() {
    let server = Server::new().await;
    let session = enter(&server).await;
    assert_eq!(server.as_page(Method::GET, "/", &session, "").await.status, StatusCode::OK);
    assert_eq!(server.as_page(Method::POST, "/api/builds", &session, "{}").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_pages_apart() {
    let server = Server::new().await;
    for path in ["/", "/enter", "/assets/home.js", "/nothing", "/api/builds", "/builds/99"] {
        let answer = server.with_key(Method::GET, path, "").await;
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(answer.headers[REFERRER_POLICY], "no-referrer", "{path}");
        assert!(answer.headers.contains_key(CACHE_CONTROL), "{path}");
        assert!(!answer.text.contains("<script>") && !answer.text.contains(" style="), "{path}");
        assert!(!answer.text.contains(&server.key), "{path}");
    }
}

#[tokio::test]
async fn a_get_changes_nothing() {
    let server = Server::new().await;
    server.with_key(Method::POST, "/api/builds", "{}").await;
    let before = server.with_key(Method::GET, "/api/builds", "").await.text;
    for route in routes() {
        server.with_key(Method::GET, &path(route.path), "{}").await;
        server.with_key(Method::HEAD, &path(route.path), "{}").await;
    }
    assert_eq!(server.with_key(Method::GET, "/api/builds", "").await.text, before);
}

#[tokio::test]
async fn a_path_leads_nowhere_else() {
    let server = Server::new().await;
    for path in [
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e",
        "/builds/..%2f1",
        "/builds/-1",
        "/api/builds/1%2f..%2f2/log",
        "/api/builds/9999999999999999999999/log",
        "/api/builds/1%00/log",
    ] {
        let answer = server.with_key(Method::GET, path, "").await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_body_has_a_largest_size() {
    let server = Server::new().await;
    let body = format!("{{\"tag\":\"{}\"}}", "a".repeat(100_000));
    let answer = server.with_key(Method::POST, "/api/builds", &body).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
