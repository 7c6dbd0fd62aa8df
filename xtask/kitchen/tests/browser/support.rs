//! A Kitchen, and a browser that looks at it: at a page of the test's own with frames in it, whose script tells what it
//! saw.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use xtask_kitchen::build::{Choices, Request, Status};
use xtask_kitchen::place::Place;
use xtask_kitchen::run::{Cook, Settings};
use xtask_kitchen::store::{Commit, End, Store};
use xtask_kitchen::web::{App, Hosts, STREAMS, Secrets, router};

/// How long a script may take, on a machine that has much to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// What all browsers of tests are started with.
pub(crate) const FLAGS: [&str; 6] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// A test by its name. Where no browser is, that is said, and it counts as ignored.
pub(crate) fn trial(name: &'static str, test: fn(&str) -> Result<(), Failed>) -> Trial {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let browser = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if browser.is_none() {
        eprintln!("skipped: {name}: chromium is not installed");
    }
    Trial::test(name, move || test(browser.unwrap_or_default())).with_ignored_flag(browser.is_none())
}

/// What a page of a test is made of.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    /// What it does: a module that can import from `/look.js`.
    pub(crate) text: &'static str,
    /// What `/data` gives.
    pub(crate) data: &'static str,
}

/// A Kitchen at work, in a project in which `cargo` is a script.
pub(crate) struct Kitchen {
    project: TempDir,
    pub(crate) cook: Cook,
    script: Script,
    /// Where it is, for as long as it is the same Kitchen for a browser.
    port: u16,
    secrets: Arc<Secrets>,
    sender: Sender<Value>,
    seen: Receiver<Value>,
    runtime: Runtime,
    server: Option<Runtime>,
    stop: watch::Sender<bool>,
}

/// A browser that ends with the test.
pub(crate) struct Browser(Child);

impl Kitchen {
    /// Opens one that is looked at by a script.
    pub(crate) fn open(cargo: &str, script: Script) -> Result<Kitchen, Failed> {
        let choices = Choices { backends: vec!["one".to_owned()], platforms: vec!["linux/amd64".to_owned()] };
        Kitchen::offering(choices, cargo, script)
    }

    /// Opens one of a project that has something to choose from.
    pub(crate) fn offering(choices: Choices, cargo: &str, script: Script) -> Result<Kitchen, Failed> {
        let project = tempfile::tempdir()?;
        let path = project.path().join("cargo");
        fs::write(&path, format!("#!/bin/sh\n{cargo}"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let place = Place::in_project(project.path())?;
        let secrets = Arc::new(Secrets::new(&place.key())?);
        let store = runtime.block_on(Store::open(&place))?;
        let settings = Settings { cargo: path.into(), ..Settings::default() };
        let cook = Cook::new(place, store, choices, settings);
        let stop = watch::Sender::new(false);
        let (worker, stopped) = (cook.clone(), stop.subscribe());
        runtime.spawn(async move { worker.work(stopped).await });
        let (sender, seen) = channel();
        let mut kitchen =
            Kitchen { project, cook, script, port: 0, secrets, sender, seen, runtime, server: None, stop };
        kitchen.serve()?;
        Ok(kitchen)
    }

    /// Has a build done.
    pub(crate) fn order(&self, request: &Request) -> Result<i64, Failed> {
        Ok(self.runtime.block_on(self.cook.order(request))?)
    }

    /// Does something that takes its time.
    pub(crate) fn run<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// A build that has ended, with this log.
    pub(crate) fn ended(&self, log: &str) -> Result<i64, Failed> {
        let store = self.cook.store();
        let id = self.runtime.block_on(async {
            let id = store.enqueue(&Request::default()).await?;
            store.start(id, &Commit::default()).await?;
            store.end(id, Status::Done, &End::default()).await?;
            anyhow::Ok(id)
        })?;
        fs::write(self.log(id), log)?;
        Ok(id)
    }

    /// Waits until the log of a build has this.
    pub(crate) fn until_log(&self, id: i64, text: &str) -> Result<(), Failed> {
        for _ in 0..1000 {
            if fs::read_to_string(self.log(id)).is_ok_and(|log| log.contains(text)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the log of build {id} never had: {text}").into())
    }

    /// Writes history.
    pub(crate) fn sql(&self, text: &'static str) -> Result<(), Failed> {
        let file = SqliteConnectOptions::new().filename(self.cook.place().database());
        self.run(async {
            let pool = SqlitePool::connect_with(file).await?;
            sqlx::raw_sql(text).execute(&pool).await?;
            pool.close().await;
            Ok(())
        })
    }

    /// Where a page is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Where a browser comes in.
    pub(crate) fn way_in(&self) -> Result<String, Failed> {
        Ok(self.url(&format!("/enter#{}", self.secrets.token()?)))
    }

    /// Where a browser can keep what it wants to.
    pub(crate) fn profile(&self) -> PathBuf {
        self.project.path().join("profile")
    }

    /// Where the log of a build is.
    pub(crate) fn log(&self, id: i64) -> PathBuf {
        self.cook.place().log(id)
    }

    /// Serves, at the same place as before if it did.
    pub(crate) fn serve(&mut self) -> Result<(), Failed> {
        let server = Builder::new_multi_thread().enable_all().build()?;
        let listener = server.block_on(TcpListener::bind(("127.0.0.1", self.port)))?;
        self.port = listener.local_addr()?.port();
        let pages = self.pages();
        server.spawn(async move { axum::serve(listener, pages).await });
        self.server = Some(server);
        Ok(())
    }

    /// Is gone, with all connections, until it serves again.
    pub(crate) fn vanish(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown_timeout(Duration::from_secs(5));
        }
    }

    /// Forgets who is in, as one does that is started anew.
    pub(crate) fn forget(&mut self) -> Result<(), Failed> {
        self.secrets = Arc::new(Secrets::new(&self.cook.place().key())?);
        Ok(())
    }

    /// Looks at it by a browser.
    pub(crate) fn look(&self, browser: &str) -> Result<Browser, Failed> {
        let chromium = Command::new(browser)
            .args(FLAGS)
            .args(["--window-size=1400,1000", "--remote-debugging-port=0", "--enable-precise-memory-info"])
            .arg(format!("--user-data-dir={}", self.profile().display()))
            .arg(self.url("/look"))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Browser(chromium))
    }

    /// What the script tells next.
    pub(crate) fn seen(&self) -> Result<Value, Failed> {
        let seen = self.seen.recv_timeout(PATIENCE).map_err(|_| "nothing was seen")?;
        match seen.get("problem") {
            Some(problem) => Err(problem.to_string().into()),
            None => Ok(seen),
        }
    }

    /// The pages, and one that looks at them.
    fn pages(&self) -> Router {
        let hosts = Arc::new(Hosts::new(self.port, &[], false));
        let streams = Arc::new(Semaphore::new(STREAMS));
        let secrets = self.secrets.clone();
        let app = App { cook: self.cook.clone(), secrets: secrets.clone(), hosts, streams };
        let page = "<!doctype html><body><script type=module src=/test.js></script>";
        let module = |text: &'static str| get(async move || ([(CONTENT_TYPE, "text/javascript")], text));
        let seen = Arc::new(Mutex::new(self.sender.clone()));
        let tell = async move |text: String| {
            let value = serde_json::from_str(&text).unwrap();
            seen.lock().unwrap().send(value).unwrap();
        };
        let Script { text, data } = self.script;
        router(app)
            .layer(axum::middleware::map_response(framed))
            .route("/look", get(async move || Html(page)))
            .route("/look.js", module(include_str!("look.js")))
            .route("/test.js", module(text))
            .route("/data", get(async move || data))
            .route("/token", get(async move || secrets.token().unwrap()))
            .route("/seen", post(tell))
    }
}

impl Drop for Kitchen {
    fn drop(&mut self) {
        self.vanish();
        self.stop.send_replace(true);
        // Its builds end with it.
        while !self.runtime.block_on(self.cook.store().with_status(Status::Running)).unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Only the page that looks may have others in it; the rest of the policy holds.
async fn framed(mut response: Response) -> Response {
    let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    let policy = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy.parse().unwrap());
    response
}
