//! The search in logs, as it is asked for.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Server};

async fn get(server: &Server, path: &str) -> Answer {
    server.with_key(Method::GET, path, "").await
}

#[tokio::test]
async fn matches_are_told_by_line_and_place() {
    let server = Server::new().await;
    let id = server.ended("one\n\u{1b}[31mtw\u{1b}[0mo ä two\nthree\n").await;
    let answer = get(&server, &format!("/api/builds/{id}/search?search=T%5BW%5Do")).await;
    assert_eq!(answer.text, r#"{"lines":3,"count":0,"before":0,"is_whole":true,"matches":[]}"#);
    let answer = get(&server, &format!("/api/builds/{id}/search?search=t%5Bw%5Do&near=3")).await;
    let expected = json!({
        "lines": 3, "count": 1, "before": 0, "is_whole": true,
        "matches": [{ "line": 2, "text": "two ä two", "ranges": [[0, 3], [6, 9]] }],
    });
    assert_eq!(serde_json::from_str::<Value>(&answer.text).unwrap(), expected);
}

#[tokio::test]
async fn what_cannot_be_searched_is_told() {
    let server = Server::new().await;
    let id = server.ended("one\n").await;
    server.with_key(Method::POST, "/api/builds", "{}").await;
    let long = "a".repeat(1001);
    for (path, status, why) in [
        (format!("/api/builds/{id}/search?search=(a"), 422, "unclosed group"),
        (format!("/api/builds/{id}/search?search=(a%7B999%7D)%7B999%7D"), 422, "repeats too much"),
        (format!("/api/builds/{id}/search?search={long}"), 422, "longer than 1000 bytes"),
        (format!("/builds/{id}/matches?search=(a"), 422, "unclosed group"),
        ("/api/builds/2/search?search=a".to_owned(), 409, "no log yet"),
        ("/api/builds/99/search?search=a".to_owned(), 404, "nothing here"),
        ("/builds/99/matches?search=a".to_owned(), 404, "nothing here"),
    ] {
        let answer = get(&server, &path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.text.contains(why), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn matches_are_a_page_without_a_script() {
    let server = Server::new().await;
    let log: String = (1..=1000).map(|number| format!("<b>{number}</b> 😀 one\n")).collect();
    let id = server.ended(&log).await;
    let answer = get(&server, &format!("/builds/{id}/matches?search=%3Cb%3E%7Cone&near=1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.text;
    assert!(page.contains("Lines 1 to 200 of 1000 that match, in 1000."), "{page}");
    let line = r##"<a class="at" href="/builds/1#L7">7</a><code><mark>&lt;b&gt;</mark>7&lt;/b&gt; 😀 <mark>one</mark></code>"##;
    assert!(page.contains(line), "{page}");
    assert!(
        page.contains(r#"<input type="hidden" name="near" value="201">"#) && !page.contains("Earlier"),
        "{page}"
    );
    let page = get(&server, &format!("/builds/{id}/matches?search=one&near=1000")).await.text;
    assert!(
        page.contains("Lines 801 to 1000 of 1000") && page.contains("Earlier") && !page.contains("Later"),
        "{page}"
    );
    let page = get(&server, &format!("/builds/{id}/matches?search=two")).await.text;
    assert!(page.contains("None of 1000 lines matches."), "{page}");
}

#[tokio::test]
async fn the_raw_log_is_the_file() {
    let server = Server::new().await;
    let log = "line with ä€😀 and \u{1b}[31mcolours\u{1b}[0m\r\n".repeat(10_000);
    let id = server.ended(&log).await;
    let answer = get(&server, &format!("/api/builds/{id}/log")).await;
    assert!(answer.text == log);
    assert_eq!(answer.headers["content-length"], log.len().to_string().as_str());
}
