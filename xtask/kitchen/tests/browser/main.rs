//! The pages in a browser, 400 pixels wide.
//!
//! Needs chromium. Where it is not there, that is said, and the test counts as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod history;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use xtask_kitchen::build::{Choices, Request};
use xtask_kitchen::place::Place;
use xtask_kitchen::run::{Cook, Settings};
use xtask_kitchen::store::Store;
use xtask_kitchen::web::{App, Hosts, STREAMS, Secrets, router};

/// Prints what a terminal would act on, and what a browser would if it were HTML; then many lines. It goes on for as long
/// as one looks.
const HOSTILE: &str = r#"#!/bin/sh
h='<img src=x onerror=document.title=1><script>document.title=2</script>'
printf '{"v":1,"event":"step-started","step":"%s","why":"%s","command":"x"}\n' "$h" "$h"
printf '%s \033[1;31mred \033]8;;http://example.org\007link\033]52;c;AAAA\007 \000\033[2J\377 \342\200\256 end\n' "$h"
seq 1 20000
sleep 0.5
echo 'and it goes on'
sleep 60
"#;

fn main() -> ExitCode {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let browser = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let trials = [
        trial("a_log_that_grows_is_shown_and_stays_text", browser, async |browser| {
            a_log_that_grows_is_shown_and_stays_text(browser).await
        }),
        trial("ten_thousand_builds_are_there_at_once", browser, async |browser| {
            history::ten_thousand_builds_are_there_at_once(browser).await
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn trial<T>(name: &'static str, browser: Option<&'static str>, test: T) -> Trial
where
    T: AsyncFn(&'static str) -> Result<(), Failed> + Send + 'static,
{
    if browser.is_none() {
        eprintln!("skipped: {name}: chromium is not installed");
    }
    let test = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(test(browser.unwrap_or_default()))
    };
    Trial::test(name, test).with_ignored_flag(browser.is_none())
}

async fn a_log_that_grows_is_shown_and_stays_text(browser: &str) -> Result<(), Failed> {
    let project = tempfile::tempdir()?;
    let cook = cook(project.path()).await;
    let stop = watch::Sender::new(false);
    let work = tokio::spawn({
        let (cook, stopped) = (cook.clone(), stop.subscribe());
        async move { cook.work(stopped).await }
    });
    cook.order(&Request::default()).await?;
    let seen = look(browser, project.path(), cook, include_str!("look.js")).await;
    stop.send_replace(true);
    work.await??;
    check(&seen?);
    Ok(())
}

/// What a script of ours sees of the pages, in a browser.
async fn look(browser: &str, project: &Path, cook: Cook, script: &'static str) -> Result<Value, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (sender, mut receiver) = mpsc::channel(1);
    let secrets = Arc::new(Secrets::new(&cook.place().key())?);
    let token = secrets.token()?;
    let pages = pages(cook, secrets, port, sender, script);
    tokio::spawn(async move { axum::serve(listener, pages).await });

    let mut chromium = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"])
        .args(["--window-size=900,900", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", project.join("profile").display()))
        .arg(format!("http://127.0.0.1:{port}/look#{token}"))
        .stderr(Stdio::null())
        .spawn()?;
    let seen = tokio::time::timeout(Duration::from_secs(60), receiver.recv()).await;
    chromium.kill()?;
    chromium.wait()?;
    Ok(serde_json::from_str(&seen?.ok_or("nothing was seen")?)?)
}

fn check(seen: &Value) {
    for width in seen["widths"].as_array().unwrap() {
        assert!(width.as_u64().unwrap() <= 400, "{seen:#}");
    }
    // Those in sight, of 20,002.
    assert!((10..200).contains(&seen["lines"].as_u64().unwrap()), "{seen:#}");
    assert_eq!(seen["height"].as_u64(), Some(20_003 * 20), "{seen:#}");
    assert_eq!((&seen["link"], &seen["status"]), (&json!("live"), &json!("running")), "{seen:#}");
    assert_eq!((&seen["title"], &seen["strangers"]), (&json!("Build 1: running"), &json!(0)), "{seen:#}");
    let parts = json!([["s | "], ["ok", "bold", "fg2"], [" "], ["red", "fg9"], [" "], ["true"]]);
    assert_eq!(seen["parts"], parts);
    assert_eq!(seen["plain"], json!(["alinkb", "s | 20%", "xy", "z"]));
    let html = "<img src=x onerror=document.title=1><script>document.title=2</script>";
    assert_eq!(seen["marked"], format!("2{html} red link \u{fffd}  end"), "{seen:#}");
    assert_eq!(seen["follows"], "false");
}

async fn cook(project: &Path) -> Cook {
    let cargo = project.join("cargo");
    fs::write(&cargo, HOSTILE).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let place = Place::in_project(project).unwrap();
    let store = Store::open(&place).await.unwrap();
    let settings = Settings { cargo: cargo.into(), ..Settings::default() };
    let choices = Choices { backends: vec!["one".to_owned()], platforms: vec!["linux/amd64".to_owned()] };
    Cook::new(place, store, choices, settings)
}

/// The pages, and one that looks at them by a script.
fn pages(
    cook: Cook,
    secrets: Arc<Secrets>,
    port: u16,
    seen: mpsc::Sender<String>,
    script: &'static str,
) -> Router {
    let hosts = Arc::new(Hosts::new(port, &[], false));
    let app = App { cook, secrets, hosts, streams: Arc::new(Semaphore::new(STREAMS)) };
    let page = "<!doctype html><body><script type=module src=/look.js></script>";
    let script = ([(CONTENT_TYPE, "text/javascript")], script);
    router(app)
        .layer(axum::middleware::map_response(framed))
        .route("/look", get(async move || Html(page)))
        .route("/look.js", get(async move || script))
        .route("/seen", post(async move |text: String| drop(seen.send(text).await)))
}

/// Only the page that looks may have others in it; the rest of the policy holds.
async fn framed(mut response: Response) -> Response {
    let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    let policy = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy.parse().unwrap());
    response
}
