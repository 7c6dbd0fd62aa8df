//! What was built, looked back on: details, waterfall, comparison, trends and export.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use xtask_kitchen::build::event::Event;
use xtask_kitchen::build::{Request, Status, request::Task};
use xtask_kitchen::store::{Commit, End};

use crate::support::{Answer, Server};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x>";

async fn get(server: &Server, path: &str) -> Answer {
    let answer = server.with_key(Method::GET, path, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer
}

/// What a build tells that takes `seconds` to compile, and whose every name is hostile.
fn events(seconds: f64, size: i64) -> Vec<Value> {
    let hex = "0".repeat(64);
    vec![
        json!({ "event": "step-started", "step": HOSTILE, "why": HOSTILE }),
        json!({ "event": "step-started", "step": format!("{HOSTILE}: {HOSTILE}"), "why": HOSTILE, "part_of": HOSTILE }),
        json!({ "event": "crate", "step": HOSTILE, "package": HOSTILE, "version": HOSTILE, "target": "x", "kind": HOSTILE,
            "started": 0.25, "finished": 0.5, "fresh": false, "outcome": HOSTILE }),
        json!({ "event": "step-finished", "step": HOSTILE, "outcome": "done", "seconds": seconds }),
        json!({ "event": "artifact", "path": HOSTILE, "size": size, "sha256": HOSTILE }),
        json!({ "event": "image", "tags": [HOSTILE], "digest": format!("sha256:{hex}"), "platforms": [{
            "platform": HOSTILE, "size": size, "layers": [
                { "name": HOSTILE, "digest": HOSTILE, "size": size, "cached": false },
                { "name": "base", "digest": "sha256:1", "size": 10, "cached": true },
            ],
        }] }),
    ]
}

async fn build(server: &Server, events: &[Value], packages: &[(&str, &str)]) -> i64 {
    let store = server.app.cook.store();
    let id = store.enqueue(&Request { task: Task::Bd, ..Request::default() }).await.unwrap();
    let commit = Commit { branch: Some(HOSTILE.to_owned()), ..Commit::default() };
    store.start(id, &commit).await.unwrap();
    store.is_for(id, &[HOSTILE.to_owned()]).await.unwrap();
    let entry =
        |(name, version): &(&str, &str)| format!("[[package]]\nname = '{name}'\nversion = '{version}'\n");
    store.keep_lock(id, &packages.iter().map(entry).collect::<String>()).await.unwrap();
    for event in events {
        let event: Event = serde_json::from_value(event.clone()).unwrap();
        store.keep(id, 2.0, &event).await.unwrap();
    }
    store.add_fresh(id, HOSTILE, 1).await.unwrap();
    store.end(id, Status::Done, &End::default()).await.unwrap();
    id
}

#[tokio::test]
async fn hostile_names_are_text_on_every_page() {
    let server = Server::new().await;
    build(&server, &events(1.0, 1000), &[("<b>old</b>", "1.0.0")]).await;
    build(&server, &events(3.0, 3000), &[("<b>new</b>", "2.0.0")]).await;
    for path in [
        "/",
        "/builds/2",
        "/builds/2/waterfall",
        "/compare?a=1&b=2",
        "/trends",
        "/trends?by=backend&branch=%3Cscript%3E",
    ] {
        let page = get(&server, path).await.text;
        assert!(page.contains("&lt;script&gt;"), "{path}: {page}");
        for wrong in ["<script>", "<img", "<b>", " style=", " onclick="] {
            assert!(!page.contains(wrong), "{path} has {wrong}: {page}");
        }
    }
    for path in ["/api/builds/2/export", "/api/export"] {
        let text = get(&server, path).await.text;
        let value: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(value["steps"][0]["name"], HOSTILE);
    }
}

#[tokio::test]
async fn two_builds_are_compared() {
    let server = Server::new().await;
    build(&server, &events(1.0, 1000), &[("kept", "1.0.0"), ("gone", "1.0.0"), ("up", "1.0.0")]).await;
    build(&server, &events(3.0, 3000), &[("kept", "1.0.0"), ("new", "1.0.0"), ("up", "1.1.0")]).await;
    let page = get(&server, "/compare?a=1&b=2").await.text;
    for text in ["+2.00 s", "3.00×", "+2.00 kB", ">removed<", ">added<", ">updated<", ">1.1.0<"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("kept"), "it has not changed: {page}");
    assert!(get(&server, "/compare?a=2&b=1").await.text.contains("−2.00 s"));
    // Without one of them, the one before that did the same.
    assert_eq!(get(&server, "/compare?b=2").await.text, page);
    assert_eq!(get(&server, "/compare?build=2&build=1").await.text, page);
    assert!(get(&server, "/compare?a=2&b=2").await.text.contains("Both have the same Cargo.lock."));
    for (path, status) in [
        ("/compare", 400),
        ("/compare?a=1", 400),
        ("/compare?build=1&build=2&build=3", 400),
        ("/compare?b=1", 404),
        ("/compare?a=1&b=99", 404),
    ] {
        assert_eq!(server.with_key(Method::GET, path, "").await.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_build_has_its_parts_in_its_waterfall_and_its_export() {
    let server = Server::new().await;
    let id = build(&server, &events(1.0, 1000), &[("a", "1.0.0")]).await;
    let page = get(&server, &format!("/builds/{id}/waterfall")).await.text;
    assert_eq!(page.matches("class=\"row part\"").count(), 2, "a vertex and a crate: {page}");
    assert!(page.contains("1 fresh") && page.contains("<title>"), "{page}");
    let details = get(&server, &format!("/builds/{id}")).await.text;
    for text in ["Parameters", ">new<", ">cached<", "1.00 kB", "as configured"] {
        assert!(details.contains(text), "{text}: {details}");
    }
    let export: Value =
        serde_json::from_str(&get(&server, &format!("/api/builds/{id}/export")).await.text).unwrap();
    assert_eq!(export["build"]["id"], id);
    assert_eq!(export["request"]["task"], "bd");
    assert_eq!(export["packages"], json!([{ "name": "a", "version": "1.0.0", "source": "" }]));
    let counts = ["steps", "crates", "artifacts", "images", "layers"]
        .map(|part| export[part].as_array().unwrap().len());
    assert_eq!(counts, [2, 1, 1, 1, 2]);
    for path in ["/builds/99/waterfall", "/api/builds/99/export"] {
        assert_eq!(server.with_key(Method::GET, path, "").await.status, StatusCode::NOT_FOUND);
    }
    // What has told nothing yet has pages as well.
    let waiting = server.app.cook.store().enqueue(&Request::default()).await.unwrap();
    for path in ["", "/waterfall"] {
        get(&server, &format!("/builds/{waiting}{path}")).await;
    }
}

/// A server whose history has 10,000 builds.
async fn large() -> Server {
    let server = Server::new().await;
    let file = SqliteConnectOptions::new().filename(server.app.cook.place().database());
    let pool = SqlitePool::connect_with(file).await.unwrap();
    sqlx::raw_sql(include_str!("../shared/ten_thousand.sql")).execute(&pool).await.unwrap();
    pool.close().await;
    server
}

/// The numbers of the builds in the history of a page.
fn rows(page: &str) -> Vec<i64> {
    let rows = page.split("<tr data-build=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn ten_thousand_builds_are_found_by_what_is_asked() {
    let server = large().await;
    let page = async |path: &str| rows(&get(&server, path).await.text);
    assert_eq!(page("/").await, (9951..=10_000).rev().collect::<Vec<_>>());
    assert_eq!(page("/?before=5051").await, (5001..=5050).rev().collect::<Vec<_>>(), "page 100");
    assert_eq!(page("/?status=failed").await[..3], [10_000, 9990, 9980]);
    assert_eq!(page("/?backend=two&status=failed").await[..3], [9990, 9960, 9930]);
    assert_eq!(page("/?branch=only-once").await, [7]);
    assert_eq!(page("/?text=ONLY-once").await, [7]);
    assert_eq!(page("/?text=the%20disk%20is%20full&before=25").await, [20, 10]);
    assert!(page("/?backend=none").await.is_empty());
    let api: Vec<Value> =
        serde_json::from_str(&get(&server, "/api/builds?task=bdp&backend=two&branch=main").await.text)
            .unwrap();
    assert_eq!(api.len(), 50);
    assert!(
        api.iter()
            .all(|build| build["branch"] == "main" && build["command"] == "cargo xtask bdp --backend=two")
    );
    for path in [
        "/trends",
        "/trends?by=backend&task=bdp&branch=main",
        "/builds/10000/waterfall",
        "/compare?a=4998&b=9998",
    ] {
        get(&server, path).await;
    }
    let trends = get(&server, "/trends?task=bd").await.text;
    // The latest 200, each with its time, its image and its binary.
    assert_eq!(trends.matches("tabindex=\"-1\"><title>").count(), 600);
    assert!(trends.contains("class=\"cross\"") && trends.contains("href=\"/builds/9998\""), "{trends}");
    assert_eq!(get(&server, "/builds/10000/waterfall").await.text.matches("class=\"row part\"").count(), 502);
}

#[tokio::test]
async fn the_export_has_every_build_of_the_filter_and_is_not_collected_first() {
    let server = large().await;
    let text = get(&server, "/api/export?branch=feature-5&backend=two&status=done").await.text;
    let builds: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(builds.len() > 50, "more than a page: {}", builds.len());
    for build in &builds {
        assert_eq!(
            (&build["build"]["branch"], &build["build"]["status"]),
            (&json!("feature-5"), &json!("done"))
        );
        assert_eq!((&build["backends"], build["steps"].as_array().unwrap().len()), (&json!(["two"]), 6));
    }
    let key = format!("Bearer {}", server.key);
    let request = axum::http::Request::get("/api/export").header("host", crate::support::NAME);
    let request = request.header("authorization", key).body(axum::body::Body::empty()).unwrap();
    let mut body = server.answer(request).await.into_body().into_data_stream();
    // One build each, long before the last one is read.
    for id in [10_000, 9999] {
        let line = futures_util::StreamExt::next(&mut body).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&line).unwrap()["build"]["id"], id);
    }
}
