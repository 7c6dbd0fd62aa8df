//! A project whose cargo is a script.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xtask_kitchen::build::{Choices, Request, Status};
use xtask_kitchen::place::Place;
use xtask_kitchen::run::{Cook, Keep, Settings};
use xtask_kitchen::store::{Build, Store};

/// A project, and a cook who works in it.
pub(crate) struct Kitchen {
    project: TempDir,
    pub(crate) cook: Cook,
    stop: watch::Sender<bool>,
    work: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Kitchen {
    /// A project in which `cargo` is this script, and `at_once` builds run at once. Nobody works yet.
    pub(crate) async fn idle(script: &str, at_once: usize) -> Kitchen {
        let project = tempfile::tempdir().unwrap();
        let cargo = project.path().join("cargo");
        fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let place = Place::in_project(project.path()).unwrap();
        let store = Store::open(&place).await.unwrap();
        let settings =
            Settings { cargo: cargo.into(), at_once, queue: 200, log: 1 << 20, ..Settings::default() };
        let choices = Choices { backends: vec!["one".to_owned()], platforms: vec![] };
        let cook = Cook::new(place, store, choices, settings);
        Kitchen { project, cook, stop: watch::Sender::new(false), work: None }
    }

    /// The same, at work.
    pub(crate) async fn at_work(script: &str, at_once: usize) -> Kitchen {
        let mut kitchen = Kitchen::idle(script, at_once).await;
        kitchen.begin();
        kitchen
    }

    /// A cook for the same project who keeps this much.
    pub(crate) fn keeping(&self, keep: Keep) -> Cook {
        let (place, store) = (self.cook.place().clone(), self.cook.store().clone());
        Cook::new(place, store, self.cook.choices().clone(), Settings { keep, ..Settings::default() })
    }

    pub(crate) fn begin(&mut self) {
        self.stop.send_replace(false);
        let (cook, stop) = (self.cook.clone(), self.stop.subscribe());
        self.work = Some(tokio::spawn(async move { cook.work(stop).await }));
    }

    /// Ends the work, in good order.
    pub(crate) async fn end(&mut self) {
        self.stop.send_replace(true);
        self.work.take().unwrap().await.unwrap().unwrap();
    }

    pub(crate) async fn order(&self) -> i64 {
        self.cook.order(&Request::default()).await.unwrap()
    }

    pub(crate) async fn build(&self, id: i64) -> Build {
        self.cook.store().build(id).await.unwrap().unwrap()
    }

    /// Waits until the build has a status for which `is_it` holds.
    pub(crate) async fn until(&self, id: i64, is_it: impl Fn(Status) -> bool) -> Build {
        let began = Instant::now();
        loop {
            let build = self.build(id).await;
            if is_it(build.status) {
                return build;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{build:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the log of a build has `text` in it.
    pub(crate) async fn until_log_has(&self, id: i64, text: &str) {
        let began = Instant::now();
        while !self.log(id).contains(text) {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", self.log(id));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn log(&self, id: i64) -> String {
        fs::read_to_string(self.path(&format!(".kitchen/logs/{id}.log"))).unwrap_or_default()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.project.path().join(path)
    }
}
