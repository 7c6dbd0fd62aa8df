//! The cook: takes builds from the queue, a few at a time, and sees them through.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use tokio::sync::{Notify, watch};

use super::commit::commit;
use super::course::Course;
use super::kill::{self, Wish};
use super::mask::Mask;
use super::process;
use super::retain::{Keep, retain};
use crate::build::{Choices, Origin, Request, Status};
use crate::log::Writer;
use crate::place::Place;
use crate::store::{End, Store};
use crate::terminal::{Followed, LOOK, Watcher};

/// How builds are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cargo that runs the pipeline.
    pub cargo: OsString,
    /// How many builds run at once.
    pub at_once: usize,
    /// How many wait.
    pub queue: usize,
    /// The size of a log, in bytes.
    pub log: u64,
    /// How much of the history is kept.
    pub keep: Keep,
}

impl Default for Settings {
    fn default() -> Settings {
        // Cargo tells its children which one it is; `cargo xtask` keeps that from its steps, which all take the one on PATH.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Settings { cargo, at_once: 1, queue: 50, log: 64 << 20, keep: Keep::default() }
    }
}

/// Runs the builds of one project; clones are the same cook.
#[derive(Clone, Debug)]
pub struct Cook(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    store: Store,
    settings: Settings,
    choices: Choices,
    /// Of the environment, which builds have as well.
    mask: Mask,
    running: Mutex<HashMap<i64, Arc<Running>>>,
    /// Builds that run in terminals.
    followed: Followed,
    /// Something may be to do: a build is queued, or one has ended.
    work: Notify,
}

/// A build that runs.
#[derive(Debug)]
struct Running {
    /// How long its log is.
    length: watch::Receiver<u64>,
    /// What is wanted of it.
    wish: watch::Sender<Wish>,
}

impl Cook {
    /// A cook for the project of `place`, which can be built for `choices`. [`Cook::work`] has it begin.
    pub fn new(place: Place, store: Store, choices: Choices, settings: Settings) -> Cook {
        let (running, followed, work) = (Mutex::default(), Followed::default(), Notify::new());
        let mask = Mask::of(std::env::vars_os());
        Cook(Arc::new(Inner { place, store, settings, choices, mask, running, followed, work }))
    }

    /// The history.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Where logs are.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What can be asked for.
    pub fn choices(&self) -> &Choices {
        &self.0.choices
    }

    /// Queues a build. Gives its number.
    ///
    /// # Errors
    /// When that cannot be asked for, or the queue is full.
    pub async fn order(&self, request: &Request) -> Result<i64> {
        request.check(&self.0.choices)?;
        self.check_queue().await?;
        let id = self.0.store.enqueue(request).await?;
        self.wake();
        Ok(id)
    }

    /// Sees that another build can wait.
    pub(super) async fn check_queue(&self) -> Result<()> {
        let waiting = self.0.store.with_status(Status::Queued).await?.len();
        ensure!(waiting < self.0.settings.queue, "the queue is full: {waiting} builds wait");
        Ok(())
    }

    /// Says that a build was queued.
    pub(super) fn wake(&self) {
        self.0.work.notify_one();
    }

    /// Ends a build, or takes it out of the queue. Gives at once; the build's status says when it has ended. False where
    /// it has ended already.
    ///
    /// # Errors
    /// When the history fails.
    pub async fn kill(&self, id: i64) -> Result<bool> {
        let running = self.running().get(&id).cloned();
        if let Some(running) = running {
            // For a moment after its end it still counts as one that runs.
            let is_over = self.0.store.build(id).await?.is_none_or(|build| build.status.is_final());
            if !is_over {
                running.wish.send_replace(Wish::End);
            }
            return Ok(!is_over);
        }
        match self.0.followed.kill(id) {
            Some(is_asked) => Ok(is_asked),
            None => {
                let is_ended = self.0.store.end(id, Status::Killed, &End::default()).await?;
                self.go_on_after(id).await?;
                Ok(is_ended)
            }
        }
    }

    /// How long the log of a build that runs is, now and from now on; nothing for one that does not run.
    pub fn log_length(&self, id: i64) -> Option<watch::Receiver<u64>> {
        let own = self.running().get(&id).map(|running| running.length.clone());
        own.or_else(|| self.0.followed.length(id))
    }

    /// Ends what an earlier Kitchen left behind. Nothing is started again. Then removes what is too old or too much.
    ///
    /// # Errors
    /// When the history fails.
    pub async fn tidy(&self) -> Result<()> {
        let running = self.0.store.with_status(Status::Running).await?;
        // What runs in a terminal goes on without Kitchen.
        for build in running.into_iter().filter(|build| build.origin == Origin::Kitchen) {
            kill::end_leftover(
                self.0.store.leader(build.id).await?,
                &process::mark(self.0.place.root(), build.id),
            )
            .await;
            let end = End { error: Some("Kitchen ended before the build".to_owned()), ..End::default() };
            self.0.store.end(build.id, Status::Interrupted, &end).await?;
        }
        self.go_on().await?;
        self.retain().await
    }

    /// Removes what is too old or too much.
    ///
    /// # Errors
    /// When the history fails, or a file cannot be removed.
    pub async fn retain(&self) -> Result<()> {
        retain(&self.0.store, &self.0.place, self.0.settings.keep).await
    }

    /// Works until `stop` is true; then ends the builds that run, and returns when they have ended.
    ///
    /// # Errors
    /// When the history fails.
    pub async fn work(&self, mut stop: watch::Receiver<bool>) -> Result<()> {
        let following = tokio::spawn(self.clone().follow());
        loop {
            while self.running().len() < self.0.settings.at_once && self.begin_next().await? {}
            tokio::select! {
                () = self.0.work.notified() => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        loop {
            for running in self.running().values() {
                running.wish.send_replace(Wish::EndNow);
            }
            if self.running().is_empty() {
                // What is cut off here is read again from its beginning.
                following.abort();
                return Ok(());
            }
            self.0.work.notified().await;
        }
    }

    /// Follows the builds that run in terminals. They go on without Kitchen.
    async fn follow(self) {
        let Inner { place, store, settings, choices, mask, followed, .. } = &*self.0;
        let mut watcher = Watcher::new(place, store, choices, settings.log, mask, followed);
        loop {
            if watcher.look().await {
                // What is left of too much is too much a little longer.
                let _ = self.retain().await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Begins the next build of the queue. False where none waits.
    async fn begin_next(&self) -> Result<bool> {
        let Some(build) = self.0.store.with_status(Status::Queued).await?.into_iter().next() else {
            return Ok(false);
        };
        if !self.may_begin(build.id).await? {
            return Ok(true);
        }
        let commit = commit(self.0.place.root()).await;
        if !self.0.store.start(build.id, &commit).await? {
            return Ok(true);
        }
        let failed = |error: anyhow::Error| {
            (Status::Failed, End { error: Some(format!("{error:#}")), ..End::default() })
        };
        let log = match Writer::open(&self.0.place.log(build.id), self.0.settings.log) {
            Ok(log) => log,
            Err(error) => {
                let (status, end) = failed(error);
                return self.0.store.end(build.id, status, &end).await;
            }
        };
        let running = Arc::new(Running { length: log.length(), wish: watch::Sender::new(Wish::GoOn) });
        self.running().insert(build.id, running.clone());
        let cook = self.clone();
        tokio::spawn(async move {
            let (status, end) = cook.course(build.id, &running).run(log).await.unwrap_or_else(failed);
            // The history may be what failed; the next start finds the build and marks it.
            let _ = cook.0.store.end(build.id, status, &end).await;
            let _ = cook.go_on_after(build.id).await;
            cook.running().remove(&build.id);
            cook.0.work.notify_one();
            let _ = cook.retain().await;
        });
        Ok(true)
    }

    fn course<'a>(&'a self, id: i64, running: &'a Running) -> Course<'a> {
        let Inner { place, store, settings, choices, mask, .. } = &*self.0;
        Course { id, place, store, choices, cargo: &settings.cargo, mask, wish: &running.wish }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<i64, Arc<Running>>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
