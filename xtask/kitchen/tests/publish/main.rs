//! A small project that is published through Kitchen: by the programs of the pipeline, to a real registry that wants a login.
//!
//! Needs what compiles for this machine, and the program `docker-registry`, elsewhere called `registry`. Where that is not
//! there, it is said, and the test counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod project;
#[path = "../web/publisher.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod publisher;
#[path = "../../../oci/tests/registry/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the engine")]
mod server;
#[path = "../web/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod support;

use std::process::ExitCode;

use axum::http::{Method, StatusCode};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;

use project::{PASSWORD, Project, USER};

fn main() -> ExitCode {
    let is_missing = server::program().is_none();
    if is_missing {
        eprintln!("skipped: what_is_confirmed_is_in_the_registry: docker-registry is not installed");
    }
    let run = || -> Result<(), Failed> {
        tokio::runtime::Runtime::new()?.block_on(what_is_confirmed_is_in_the_registry());
        Ok(())
    };
    let trial = Trial::test("what_is_confirmed_is_in_the_registry", run).with_ignored_flag(is_missing);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

async fn what_is_confirmed_is_in_the_registry() {
    let mut project = Project::new().await;
    let watch = project::Watch::begin();
    project.publisher.begin_work();

    // Nobody has logged in.
    let id = project.publisher.begin().await;
    let shown = project.publisher.until(id, "failed").await;
    assert_eq!(
        (&shown["registry"]["credentials"], &shown["registry"]["account"]),
        (&json!("none"), &json!(null))
    );
    let problem = shown["registry"]["problem"].as_str().unwrap();
    assert!(problem.contains("log in with `docker login"), "{problem}");

    project.log_in();
    let id = project.publisher.begin().await;
    let shown = project.publisher.until(id, "ready").await;
    assert_eq!((&shown["release"]["next"], &shown["registry"]["account"]), (&json!("0.1.0"), &json!(USER)));
    assert_eq!(shown["registry"]["found_in"], project.login_file());
    assert!(shown["planned"][0]["uploaded"].as_i64().unwrap() > 100_000, "{shown:#}");
    assert_eq!(project.digest("0.1.0"), None, "a dry run pushes nothing");
    assert_eq!(project.publisher.confirm(id).await.0, StatusCode::ACCEPTED);
    let shown = project.publisher.until(id, "published").await;
    let digest = shown["pushed"][0]["digest"].as_str().map(str::to_owned);
    assert!(digest.is_some());
    for tag in ["0.1.0", "latest"] {
        assert_eq!(project.digest(tag), digest);
    }
    assert_eq!(shown["pushed"][0]["digest"], shown["planned"][0]["digest"]);
    assert_eq!(shown["pushed"][0]["uploaded"], shown["planned"][0]["uploaded"]);

    // The same again, by a login that a helper keeps: all is there already.
    project.log_in_by_helper();
    let id = project.publisher.begin().await;
    let shown = project.publisher.until(id, "ready").await;
    assert_eq!((&shown["planned"][0]["uploaded"], &shown["registry"]["account"]), (&json!(0), &json!(USER)));
    let found_in = shown["registry"]["found_in"].as_str().unwrap();
    assert!(found_in.starts_with("docker-credential-seeded, which "), "{found_in}");

    project.publisher.end_work().await;
    assert_eq!(watch.end(), Vec::<String>::new(), "arguments of processes");
    for (name, bytes) in project.kept() {
        project::check_no_secret(&name, &bytes);
    }
    let builds = project.publisher.server.app.cook.store().parts(id).await.unwrap();
    let last = builds.last().unwrap().build.id;
    let of_builds = (1..=last).flat_map(|id| {
        ["builds/{}", "api/builds/{}", "api/builds/{}/log"].map(|path| path.replace("{}", &id.to_string()))
    });
    let of_publications = (1..=id).flat_map(|id| [format!("publish/{id}"), format!("api/publications/{id}")]);
    let others = ["", "publish", "api/publications", "api/builds"].map(str::to_owned);
    for path in of_builds.chain(of_publications).chain(others) {
        let answer = project.publisher.server.with_key(Method::GET, &format!("/{path}"), "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        project::check_no_secret(&path, answer.text.as_bytes());
    }
    // The test would see it.
    assert!(project::has_secret(format!("x{PASSWORD}y").as_bytes()));
}
