//! Publications, from stage to stage. A script stands in the place of cargo.

use axum::http::{Method, StatusCode};
use serde_json::json;
use xtask_kitchen::build::Status;
use xtask_kitchen::publish::Confirmation;
use xtask_kitchen::run::Answer;
use xtask_kitchen::store::{Commit, End};

use crate::publisher::{DIGESTS, Publisher, image};
use crate::support::Server;

async fn page(publisher: &Publisher, path: &str) -> String {
    let answer = publisher.server.with_key(Method::GET, path, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer.text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_confirmed_is_pushed_once_and_looked_at() {
    let publisher = Publisher::new().await;
    let id = publisher.begin().await;
    let shown = publisher.until(id, "ready").await;
    assert_eq!(publisher.tasks(), ["release", "registry check", "bdp --dry-run"]);
    assert_eq!(shown["planned"][0]["uploaded"], 3_200_000);
    let text = page(&publisher, "/publish").await;
    for part in [
        "<strong>0.2.0</strong>",
        "minor, as the commits say",
        "feat: say &lt;b&gt;hello&lt;/b&gt;",
        "minor: feature",
        "Warning: merges are left out",
        "the work tree is not clean",
        "robot",
        "/home/me/.docker/config.json",
        "zstd layers",
        "<strong>3.20 MB</strong> to upload",
        "ghcr.io/team/app:latest",
        "Push 2 names now",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Not for what somebody has not seen.
    for other in [
        json!({ "revision": null, "dirty": false, "tags": ["ghcr.io/team/app:0.1.0"] }),
        json!({ "revision": "c", "dirty": false, "tags": ["ghcr.io/team/app:0.1.0", "ghcr.io/team/app:latest"] }),
    ] {
        assert_eq!(publisher.post(&format!("/{id}/confirm"), &other).await.0, StatusCode::CONFLICT);
    }
    assert_eq!(publisher.pushes(), 0);
    let both = tokio::join!(publisher.confirm(id), publisher.confirm(id));
    let mut statuses = [both.0.0, both.1.0];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::ACCEPTED, StatusCode::CONFLICT]);
    let shown = publisher.until(id, "published").await;
    assert_eq!(publisher.pushes(), 1);
    assert_eq!(publisher.confirm(id).await, (StatusCode::CONFLICT, "it was confirmed already".to_owned()));
    let verify = format!("verify --backend=one ghcr.io/team/app@{}", DIGESTS[0]);
    assert_eq!(publisher.tasks().last(), Some(&verify));
    let link = format!("/builds/4#{}", DIGESTS[0]);
    assert_eq!(shown["pushed"][0]["link"], link);
    let text = page(&publisher, "/publish").await;
    assert!(
        text.contains(&format!("href=\"{link}\"")) && text.contains("href=\"https://ghcr.io/team/app\""),
        "{text}"
    );
    assert!(page(&publisher, "/builds/4").await.contains(&format!("id=\"{}\"", DIGESTS[0])));
    assert!(!page(&publisher, "/publish").await.contains(" style="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_refuses_ends_it_before_anything_is_compiled() {
    let publisher = Publisher::new().await;
    publisher.write("registry.fails", "");
    let id = publisher.begin().await;
    let shown = publisher.until(id, "failed").await;
    assert_eq!(shown["publication"]["problem"], "the registry check has failed (build 2)");
    assert_eq!(shown["registry"]["account"], "robot", "who was refused is told");
    assert_eq!(publisher.tasks(), ["release", "registry check"]);
    let (status, why) = publisher.confirm(id).await;
    assert!(status.is_client_error(), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_the_dry_run_is_not_pushed() {
    let publisher = Publisher::new().await;
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.write("source", "2");
    let (status, why) = publisher.confirm(id).await;
    let expected = "files have changed since the dry run; begin anew, and confirm that";
    assert_eq!((status, &*why), (StatusCode::CONFLICT, expected));
    publisher.commit();
    let (status, why) = publisher.confirm(id).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(why.starts_with("the commit was "), "{why}");
    assert_eq!(publisher.pushes(), 0);
    publisher.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    assert_eq!(publisher.confirm(id).await.0, StatusCode::ACCEPTED, "it is as it was");
    publisher.until(id, "published").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_the_dry_run_runs_cannot_be_confirmed() {
    let publisher = Publisher::new().await;
    publisher.write("source", "2");
    publisher.write("hold", "dry-run");
    let id = publisher.begin().await;
    publisher.until_asked_for("bdp --dry-run").await;
    // It was changed before, and is so again.
    publisher.write("source", "3");
    std::fs::remove_file(publisher.path("hold")).unwrap();
    let shown = publisher.until(id, "failed").await;
    let problem = "files have changed since the dry run had begun; begin anew";
    assert_eq!(shown["publication"]["problem"], problem);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_waited_looks_again_before_it_begins() {
    let mut publisher = Publisher::new().await;
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.end_work().await;
    assert_eq!(publisher.confirm(id).await.0, StatusCode::ACCEPTED);
    publisher.commit();
    publisher.restart().await;
    let shown = publisher.until(id, "failed").await;
    let problem = shown["publication"]["problem"].as_str().unwrap();
    assert!(problem.contains("nothing was pushed: the commit was "), "{problem}");
    assert_eq!(publisher.pushes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_and_one_of_something_else_are_told() {
    let publisher = Publisher::new().await;
    publisher.write("bdp.fails", "");
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.confirm(id).await;
    let shown = publisher.until(id, "failed").await;
    assert_eq!(shown["publication"]["problem"], "the push has failed (build 4)");

    std::fs::remove_file(publisher.path("bdp.fails")).unwrap();
    publisher.write("bdp.json", &format!("{}\n", image(DIGESTS[1], false)));
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.confirm(id).await;
    let shown = publisher.until(id, "failed").await;
    let problem = format!("{} was pushed, and the dry run had shown {}", DIGESTS[1], DIGESTS[0]);
    assert_eq!(shown["publication"]["problem"], problem);
    assert_eq!(shown["pushed"][0]["digest"], DIGESTS[1]);
    assert!(!publisher.tasks().iter().any(|task| task.starts_with("verify")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_what_it_should_be_is_told_with_its_digest() {
    let publisher = Publisher::new().await;
    publisher.write("verify.fails", "");
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.confirm(id).await;
    let shown = publisher.until(id, "failed").await;
    assert_eq!(shown["publication"]["problem"], "the verification has failed (build 5)");
    let text = page(&publisher, &format!("/publish/{id}")).await;
    assert!(text.contains(DIGESTS[0]) && text.contains("the verification has failed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing_and_pushes_nothing_again() {
    let mut publisher = Publisher::new().await;
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.restart().await;
    // It waits for its confirmation as before, and the push is interrupted by the end of Kitchen.
    publisher.write("hold", "bdp");
    assert_eq!(publisher.confirm(id).await.0, StatusCode::ACCEPTED);
    publisher.until_asked_for("bdp").await;
    publisher.restart().await;
    let shown = publisher.until(id, "failed").await;
    assert_eq!(shown["publication"]["problem"], "the push was interrupted (build 4)");
    std::fs::remove_file(publisher.path("hold")).unwrap();
    publisher.restart().await;
    assert_eq!(publisher.pushes(), 1);

    // A Kitchen that was killed right after the push, before anything followed on that.
    let id = publisher.begin().await;
    publisher.until(id, "ready").await;
    publisher.end_work().await;
    publisher.confirm(id).await;
    let store = publisher.server.app.cook.store();
    let push = store.parts(id).await.unwrap().last().unwrap().build.id;
    store.start(push, &Commit::default()).await.unwrap();
    let event = serde_json::from_value(image(DIGESTS[0], false)).unwrap();
    store.keep(push, 1.0, &event).await.unwrap();
    store.end(push, Status::Done, &End::default()).await.unwrap();
    publisher.restart().await;
    publisher.until(id, "published").await;
    assert_eq!(publisher.pushes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_at_a_time_and_the_next_takes_the_place_of_one_that_waits() {
    let publisher = Publisher::new().await;
    publisher.write("hold", "registry");
    let first = publisher.begin().await;
    let (status, body) = publisher.post("", &json!({})).await;
    assert_eq!(
        (status, &body["detail"]),
        (StatusCode::CONFLICT, &json!("publication 1 is under way: one at a time"))
    );
    std::fs::remove_file(publisher.path("hold")).unwrap();
    let shown = publisher.until(first, "ready").await;
    let second = publisher.begin().await;
    publisher.until(first, "superseded").await;
    let (status, _) = publisher.post(&format!("/{first}/confirm"), &shown["confirmation"]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    publisher.until(second, "ready").await;
    assert_eq!(publisher.pushes(), 0);
    let killed = publisher.begin().await;
    publisher.until(killed, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_killed_ends_it() {
    let publisher = Publisher::new().await;
    publisher.write("hold", "dry-run");
    let id = publisher.begin().await;
    publisher.until_asked_for("bdp --dry-run").await;
    assert!(publisher.server.app.cook.kill(3).await.unwrap());
    let shown = publisher.until(id, "failed").await;
    assert_eq!(shown["publication"]["problem"], "the dry run was killed (build 3)");
}

#[tokio::test]
async fn what_cannot_be_published_is_told() {
    let server = Server::new().await;
    for (body, status) in [
        (json!({ "tag": "--execute" }), 422),
        (json!({ "backends": ["--push"] }), 422),
        (json!({ "task": "release" }), 422),
        (json!({ "engine": "native" }), 422),
    ] {
        let answer = server.with_key(Method::POST, "/api/publications", &body.to_string()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
    }
    let nothing = json!({ "revision": null, "dirty": false, "tags": [] });
    let answer = server.with_key(Method::POST, "/api/publications/7/confirm", &nothing.to_string()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    for path in ["/publish/7", "/api/publications/7"] {
        assert_eq!(server.with_key(Method::GET, path, "").await.status, StatusCode::NOT_FOUND);
    }
    let said = Confirmation { revision: None, dirty: false, tags: vec![] };
    assert_eq!(server.app.cook.confirm(7, &said).await.unwrap(), Answer::Unknown);
}
