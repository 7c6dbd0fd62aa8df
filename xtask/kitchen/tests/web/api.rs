//! What programs can do.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Server;

#[tokio::test]
async fn builds_are_ordered_listed_moved_and_taken_back() {
    let server = Server::new().await;
    for tag in ["a", "b"] {
        let body = json!({ "task": "bd", "backends": ["one"], "tag": tag }).to_string();
        let answer = server.with_key(Method::POST, "/api/builds", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
    let moved = server.with_key(Method::POST, "/api/builds/2/move", r#"{"before":1}"#).await;
    assert_eq!(moved.status, StatusCode::NO_CONTENT, "{}", moved.text);
    let killed = server.with_key(Method::POST, "/api/builds/1/kill", "").await;
    assert_eq!(killed.status, StatusCode::ACCEPTED);
    assert_eq!(server.with_key(Method::POST, "/api/builds/1/kill", "").await.status, StatusCode::CONFLICT);
    let again = server.with_key(Method::POST, "/api/builds/1/again", "").await;
    assert_eq!(again.status, StatusCode::CREATED);
    let list: Value =
        serde_json::from_str(&server.with_key(Method::GET, "/api/builds", "").await.text).unwrap();
    let seen: Vec<_> =
        list.as_array().unwrap().iter().map(|build| (&build["id"], &build["status"])).collect();
    assert_eq!(
        seen,
        [(&json!(3), &json!("queued")), (&json!(2), &json!("queued")), (&json!(1), &json!("killed"))]
    );
    let one: Value =
        serde_json::from_str(&server.with_key(Method::GET, "/api/builds/3", "").await.text).unwrap();
    assert_eq!(one["build"]["command"], "cargo xtask bd --backend=one --tag=a");
    assert_eq!(server.with_key(Method::GET, "/api/builds/3/log", "").await.text, "");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_told() {
    let server = Server::new().await;
    for (body, why) in [
        (r#"{"backends":["--push"]}"#, "there is no backend `--push`; there is one"),
        (r#"{"platforms":["linux/arm64"]}"#, "there is no platform `linux/arm64`; there is linux/amd64"),
        (r#"{"task":"check","tag":"a"}"#, "only an image has tags"),
    ] {
        let answer = server.with_key(Method::POST, "/api/builds", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(problem["detail"], why);
    }
    for body in [r#"{"task":"rm"}"#, r#"{"shell":"id"}"#, "7", "{"] {
        let answer = server.with_key(Method::POST, "/api/builds", body).await;
        assert!(answer.status.is_client_error(), "{body}: {}", answer.status);
    }
    assert_eq!(server.with_key(Method::GET, "/api/builds/7", "").await.status, StatusCode::NOT_FOUND);
}
