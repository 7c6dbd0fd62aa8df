//! The HTTP contract of notes, through the router and a real database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, Request, StatusCode, header},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use support::router::{Service, post, request};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tower::ServiceExt;

#[tokio::test]
async fn a_note_is_created_read_replaced_and_deleted() {
    let service = Service::new().await;

    let (head, created) =
        service.call(post(json!({"title": "  Milk ", "body": "two\nlitres"}).to_string())).await;
    assert_eq!(head.status(), StatusCode::CREATED);
    assert_eq!(head.headers()[header::LOCATION], "/notes/1");
    assert_eq!(head.headers()[header::ETAG], "\"1\"");
    assert_eq!(
        (&created["id"], &created["version"], &created["title"], &created["body"]),
        (&json!(1), &json!(1), &json!("Milk"), &json!("two\nlitres"))
    );
    assert!(created["created_at"].as_str().unwrap().ends_with('Z'), "{created}");
    assert_eq!(created["created_at"], created["updated_at"]);
    assert_eq!(service.get("/notes/1").await, (StatusCode::OK, created.clone()));

    let any = [(header::IF_MATCH, "*")];
    let (head, replaced) =
        service.call(request("PUT", "/notes/1", &any, json!({"title": "Tea", "body": ""}))).await;
    assert_eq!((head.status(), &replaced["title"]), (StatusCode::OK, &json!("Tea")));
    assert_eq!(
        (&head.headers()[header::ETAG], &replaced["version"]),
        (&HeaderValue::from_static("\"2\""), &json!(2))
    );
    assert_eq!(replaced["created_at"], created["created_at"]);
    let time = |value: &Value| OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap();
    assert!(time(&replaced["updated_at"]) >= time(&created["updated_at"]));
    assert_eq!(service.get("/notes/1").await, (StatusCode::OK, replaced.clone()));

    assert_eq!(service.send("DELETE", "/notes/1", Value::Null).await, (StatusCode::NO_CONTENT, Value::Null));
    for (method, body) in [("GET", Value::Null), ("PUT", replaced), ("DELETE", Value::Null)] {
        let (head, _) = service.call(request(method, "/notes/1", &any, body)).await;
        assert_eq!(head.status(), StatusCode::NOT_FOUND, "{method}");
    }
    // Cursors depend on it: the id of a deleted note does not come back.
    assert_eq!(service.send("POST", "/notes", json!({"title": "Next", "body": ""})).await.1["id"], 2);
}

#[tokio::test]
async fn no_update_is_lost() {
    let service = Service::new().await;
    let note = |title: &str| json!({"title": title, "body": ""});
    service.send("POST", "/notes", note("first")).await;

    for (method, tag, status) in [
        ("PUT", None, 428),
        ("PUT", Some("1"), 400),
        ("PUT", Some("\"2\""), 412),
        ("DELETE", Some("\"2\""), 412),
        ("PUT", Some("\"other\""), 412),
        ("PUT", Some("\"1\""), 200),
        ("PUT", Some("\"1\""), 412),
        // As nginx hands it on, and with one that another client has.
        ("PUT", Some("W/\"2\", \"7\""), 200),
        ("DELETE", Some("\"1\", \"2\""), 412),
        ("DELETE", Some("\"3\""), 204),
        ("DELETE", Some("\"3\""), 404),
    ] {
        let condition = tag.map(|tag| (header::IF_MATCH, tag));
        let (head, answer) =
            service.call(request(method, "/notes/1", condition.as_slice(), note("second"))).await;
        assert_eq!(head.status(), status, "{method} {tag:?}: {answer}");
    }
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made() {
    let service = Service::new().await;
    service.send("POST", "/notes", json!({"title": "first", "body": ""})).await;

    let replace = |title: &'static str| {
        let condition = [(header::IF_MATCH, "\"1\"")];
        service.call(request("PUT", "/notes/1", &condition, json!({"title": title, "body": ""})))
    };
    let (left, right) = tokio::join!(replace("left"), replace("right"));
    let mut statuses = [left.0.status().as_u16(), right.0.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let winner = if left.0.status() == 200 { "left" } else { "right" };
    assert_eq!(service.get("/notes/1").await.1["title"], winner);
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let service = Service::new().await;
    service.send("POST", "/notes", json!({"title": "t", "body": ""})).await;

    for (tag, status) in [("\"1\"", 304), ("W/\"1\"", 304), ("*", 304), ("\"2\"", 200), ("1", 400)] {
        let known = [(header::IF_NONE_MATCH, tag)];
        let (head, body) = service.call(request("GET", "/notes/1", &known, Value::Null)).await;
        assert_eq!(head.status(), status, "{tag}");
        assert_eq!(body.is_null(), status == 304, "{tag}");
    }
}

#[tokio::test]
async fn changes_are_told_as_they_happen_until_the_service_stops() {
    let service = Service::new().await;
    let note = json!({"title": "t", "body": ""});
    let request_stream = || Request::get("/notes/events").body(Body::empty()).unwrap();
    let response = service.router.clone().oneshot(request_stream()).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");

    service.send("POST", "/notes", note.clone()).await;
    service.call(request("PUT", "/notes/1", &[(header::IF_MATCH, "*")], note)).await;
    service.send("DELETE", "/notes/1", Value::Null).await;

    let mut stream = response.into_body().into_data_stream();
    for expected in ["created", "replaced", "deleted"] {
        let event = stream.next().await.unwrap().unwrap();
        assert_eq!(event, format!("event: {expected}\ndata: 1\n\n"));
    }
    service.stop.send(true).unwrap();
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn the_api_describes_itself() {
    let service = Service::new().await;
    let (status, api) = service.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let operations: Vec<_> = api["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(
        operations,
        [
            "get /notes",
            "post /notes",
            "get /notes/events",
            "delete /notes/{id}",
            "get /notes/{id}",
            "put /notes/{id}"
        ]
    );
    assert_eq!(api["components"]["schemas"]["Note"]["properties"]["created_at"]["format"], "date-time");

    // The page asks this service only.
    for path in ["/docs", "/docs/page.js", "/docs/page.css"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = service.router.clone().oneshot(request).await.unwrap();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("://"), "{path} names another server");
    }
}

#[tokio::test]
async fn a_cursor_leads_through_all_pages() {
    let service = Service::new().await;
    for title in 1..=5 {
        service.send("POST", "/notes", json!({"title": title.to_string(), "body": ""})).await;
    }

    let mut pages = Vec::new();
    let mut path = "/notes?limit=2".to_owned();
    loop {
        let (status, page) = service.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        pages.push(
            page["notes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|note| note["id"].as_i64().unwrap())
                .collect::<Vec<_>>(),
        );
        let Some(next) = page["next"].as_i64() else { break };
        path = format!("/notes?limit=2&after={next}");
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);

    // A full last page has no next one.
    assert_eq!(service.get("/notes?limit=5").await.1["next"], Value::Null);
    assert_eq!(service.get("/notes?after=9").await.1, json!({"notes": [], "next": null}));
}

#[tokio::test]
async fn the_limits_of_a_note_are_exact() {
    let service = Service::new().await;
    let cases = [
        ("é".repeat(200), String::new(), StatusCode::CREATED),
        ("é".repeat(201), String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        (" \n".to_owned(), String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        // In JSON, each of these bytes takes six.
        ("t".to_owned(), "\u{1}".repeat(65_536), StatusCode::CREATED),
        ("t".to_owned(), "b".repeat(65_537), StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (title, body, expected) in cases {
        let lengths = (title.len(), body.len());
        let (status, answer) = service.send("POST", "/notes", json!({"title": title, "body": body})).await;
        assert_eq!(status, expected, "{lengths:?}");
        assert!(status != StatusCode::CREATED || answer["body"] == body);
    }
}
