//! What programs can do.

use axum::http::header::ALLOW;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use xtask_kitchen::web::routes;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_build_of_a_terminal_is_run_again_where_it_can_be_asked_for() {
    let server = Server::new().await;
    let spool = server.app.cook.place().spool();
    std::fs::create_dir_all(&spool).unwrap();
    for (number, words) in
        [r#"["bd","--backend","one","--quiet"]"#, r#"["bd","--jobs=2"]"#].iter().enumerate()
    {
        let ended = r#"{"at":1.0,"v":1,"event":"finished","exit_code":0,"seconds":1}"#;
        // Of today, or it would be too old to be kept.
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let header = format!(r#"{{"record":1,"started":{now},"pid":99999999,"words":{words}}}"#);
        std::fs::write(spool.join(format!("{number}-1.jsonl")), format!("{header}\n{ended}\n")).unwrap();
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let cook = server.app.cook.clone();
    let work = tokio::spawn(async move { cook.work(stopped).await });
    while spool.read_dir().unwrap().count() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    stop.send_replace(true);
    work.await.unwrap().unwrap();
    let again = server.with_key(Method::POST, "/api/builds/1/again", "").await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::CREATED, r#"{"id":3}"#));
    let again = server.with_key(Method::POST, "/api/builds/2/again", "").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text.contains("only be run again in a terminal: `--jobs` is nothing"), "{}", again.text);
    assert!(server.with_key(Method::GET, "/builds/2", "").await.text.contains("in a terminal"));
}

#[tokio::test]
async fn the_api_describes_every_route_and_method_that_it_has() {
    let server = Server::new().await;
    let text = server.with_key(Method::GET, "/api/openapi.json", "").await.text;
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut described: Vec<String> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        described.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    let mut there = Vec::new();
    for route in routes().into_iter().filter(|route| route.path.starts_with("/api/")) {
        let path = route.path.replace("{id}", "1");
        let answer = server.with_key(Method::OPTIONS, &path, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        let allowed = answer.headers[ALLOW].to_str().unwrap().split(',').filter(|method| *method != "HEAD");
        there.extend(allowed.map(|method| format!("{method} {}", route.path)));
    }
    described.sort();
    there.sort();
    assert_eq!(described, there);
    assert!(there.len() >= 16, "{there:?}");
    // What is answered has what is described, and nothing else.
    server.with_key(Method::POST, "/api/builds", "{}").await;
    for (path, schema) in [("/api/builds/1", "Detail"), ("/api/builds/1/export", "Whole")] {
        let answer: Value = serde_json::from_str(&server.with_key(Method::GET, path, "").await.text).unwrap();
        for (part, schema) in [(&answer, schema), (&answer["build"], "Build")] {
            let schema = &document["components"]["schemas"][schema];
            let mut names = properties(schema, &document);
            names.sort();
            let given: Vec<_> = part.as_object().unwrap().keys().cloned().collect();
            assert_eq!(given, names, "{path}");
        }
    }
}

/// The names of a schema's properties, also of those that are part of it.
fn properties(schema: &Value, document: &Value) -> Vec<String> {
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| {
        let name = part["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        properties(name.map_or(part, |name| &document["components"]["schemas"][name]), document)
    });
    own.chain(parts).collect()
}
