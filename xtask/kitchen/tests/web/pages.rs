//! Pages: what they show, and that nothing in them is more than text.

use axum::http::{Method, StatusCode};
use xtask_kitchen::build::event::Event;
use xtask_kitchen::build::{Request, Status};
use xtask_kitchen::store::{Commit, End, Store};

use crate::support::{Answer, Server};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x>";

/// A build that was started, told these events, and has ended.
async fn ended(store: &Store, request: &Request, branch: &str, status: Status, events: &[Event]) -> i64 {
    let id = store.enqueue(request).await.unwrap();
    let commit = Commit { branch: Some(branch.to_owned()), ..Commit::default() };
    store.start(id, &commit).await.unwrap();
    for event in events {
        store.keep(id, 1.0, event).await.unwrap();
    }
    let end =
        End { exit_code: Some(1), failed_step: Some(HOSTILE.to_owned()), error: Some(HOSTILE.to_owned()) };
    store.end(id, status, &end).await.unwrap();
    id
}

async fn get(server: &Server, path: &str) -> Answer {
    let answer = server.with_key(Method::GET, path, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer
}

/// The numbers of the builds in the history of a page, in its order.
fn builds(page: &str) -> Vec<i64> {
    let rows = page.split("<tr data-build=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn hostile_text_is_text() {
    let server = Server::new().await;
    let store = server.app.cook.store();
    // Not by the API, which lets no such tag in.
    let request = Request { tag: Some(HOSTILE.to_owned()), ..Request::default() };
    let step = Event::StepStarted { step: HOSTILE.to_owned(), why: HOSTILE.to_owned(), part_of: None };
    let id = ended(store, &request, HOSTILE, Status::Failed, &[step]).await;
    store.enqueue(&request).await.unwrap();
    for path in
        ["/", &format!("/builds/{id}"), "/?text=%3Cscript%3Ealert(1)%3C/script%3E&status=%22%3E%3Cimg"]
    {
        let page = get(&server, path).await.text;
        assert!(page.contains("&lt;script&gt;alert(1)"), "{path}: {page}");
        assert!(!page.contains("<script>") && !page.contains("<img"), "{path}: {page}");
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "the policy forbids both: {page}");
    }
}

#[tokio::test]
async fn the_history_has_pages_and_filters() {
    let server = Server::new().await;
    let store = server.app.cook.store();
    for number in 1..=120_i64 {
        let status = if number % 10 == 0 { Status::Failed } else { Status::Done };
        let branch = if number == 7 { "100%_sure" } else { "main" };
        assert_eq!(ended(store, &Request::default(), branch, status, &[]).await, number);
    }
    store.enqueue(&Request::default()).await.unwrap();
    let page = async |path: &str| builds(&get(&server, path).await.text);
    let down = |from: i64, to: i64| (to..=from).rev().collect::<Vec<_>>();
    assert_eq!(page("/").await, down(120, 71));
    assert_eq!(page("/?before=71").await, down(70, 21));
    assert_eq!(page("/?before=21").await, down(20, 1));
    assert_eq!(page("/?status=failed&text=").await, (1..=12).rev().map(|ten| ten * 10).collect::<Vec<_>>());
    assert_eq!(page("/?status=failed&before=30").await, [20, 10]);
    // Neither a pattern nor a piece of SQL.
    assert_eq!(page("/?text=0%25_S").await, [7]);
    for text in ["%25", "_", "''", "%27%20OR%201=1--", "%22;DROP%20TABLE%20builds"] {
        let found = page(&format!("/?text={text}")).await;
        assert!(found.is_empty() || found == [7], "{text}: {found:?}");
    }
    let first = get(&server, "/?status=done&text=main").await.text;
    assert!(first.contains("Older") && !first.contains("Latest"), "{first}");
    assert!(first.contains(r#"<input type="hidden" name="text" value="main">"#), "{first}");
    let last = get(&server, "/?before=21").await.text;
    assert!(last.contains("Latest") && !last.contains("Older"), "{last}");
    let api = get(&server, "/api/builds?status=failed&before=30").await.text;
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&api).unwrap().len(), 2);
}

#[tokio::test]
async fn the_first_page_has_what_waits_and_every_choice() {
    let server = Server::new().await;
    for _ in 0..3 {
        server.app.cook.store().enqueue(&Request::default()).await.unwrap();
    }
    let page = get(&server, "/").await.text;
    for field in ["task", "backends", "platforms", "engine", "profile", "tag", "dry_run"] {
        assert!(page.contains(&format!("name=\"{field}\"")), "{field}");
    }
    assert_eq!(page.matches("data-post=\"kill\"").count(), 3);
    assert!(
        page.contains(r#"data-post="move" data-before="1" aria-label="Up in the queue: build 2""#),
        "{page}"
    );
    // The last place is before no other.
    assert!(page.contains(r#"data-post="move" aria-label="Down in the queue: build 2""#), "{page}");
}
