//! The course of one build: its program is started, what that prints is kept, and its end is waited for or brought about.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::feed::Feed;
use super::kill::{self, Wish};
use super::mask::Mask;
use super::process;
use crate::build::{Choices, Request, Status};
use crate::log::Writer;
use crate::place::{Place, private};
use crate::store::{End, Leader, Store};

/// A build, and what it takes to run it.
pub(super) struct Course<'a> {
    pub(super) id: i64,
    pub(super) place: &'a Place,
    pub(super) store: &'a Store,
    pub(super) choices: &'a Choices,
    /// The cargo that runs the pipeline.
    pub(super) cargo: &'a OsStr,
    pub(super) mask: &'a Mask,
    /// What is wanted of it.
    pub(super) wish: &'a watch::Sender<Wish>,
}

impl Course<'_> {
    /// Runs the build to its end. Tells how it ended.
    ///
    /// # Errors
    /// When its program cannot be started, or what it prints not be kept. Nothing of it runs any more then.
    pub(super) async fn run(&self, log: Writer) -> Result<(Status, End)> {
        let request = self.store.request(self.id).await?.context("the build is gone")?;
        self.note_ingredients(&request).await?;
        let events = private(&self.place.events(self.id)).context("cannot open the file of events")?;
        let (store, mask, end) = (self.store.clone(), self.mask.clone(), End::default());
        let feed = Feed { build: self.id, log, events, store, mask, end, fresh: HashMap::new() };
        let mut child = self.spawn(&request)?;
        let pid = i64::from(child.id().context("the build has ended before it began")?);
        let leader = Leader { pid, started: process::started(pid).unwrap_or(0) };
        let taken = match self.store.led_by(self.id, leader).await {
            Ok(()) => self.take(&mut child, pid, feed).await,
            Err(error) => Err(error),
        };
        if taken.is_err() {
            self.kill_and_reap(&mut child, pid).await;
        }
        let exit = child.wait().await.context("cannot wait for the build")?;
        kill::sweep(&self.mark()).await;
        let mut end = taken?;
        end.exit_code = end.exit_code.or(exit.code().map(i64::from));
        let wish = *self.wish.borrow();
        let status = match wish {
            Wish::EndNow => Status::Interrupted,
            Wish::End => Status::Killed,
            Wish::GoOn if exit.success() => Status::Done,
            Wish::GoOn => Status::Failed,
        };
        Ok((status, end))
    }

    /// Takes what the build prints, until nobody can print any more. Ends it when that is wished.
    async fn take(&self, child: &mut Child, pid: i64, mut feed: Feed) -> Result<End> {
        let (Some(events), Some(others)) = (child.stdout.take(), child.stderr.take()) else {
            bail!("the build has no output");
        };
        let mut wish = self.wish.subscribe();
        let taken = {
            let taking = feed.take(events, others);
            tokio::pin!(taking);
            tokio::select! {
                taken = &mut taking => taken,
                // Whoever wishes is there for as long as the build runs.
                () = async { drop(wish.wait_for(|wish| *wish != Wish::GoOn).await) } => {
                    tokio::join!(taking, self.kill_and_reap(child, pid)).0
                }
            }
        };
        taken.map(|()| feed.end)
    }

    /// Notes what a build is made of, besides its commit.
    async fn note_ingredients(&self, request: &Request) -> Result<()> {
        self.store.is_for(self.id, request.databases(self.choices)).await?;
        if let Ok(text) = tokio::fs::read_to_string(self.place.root().join("Cargo.lock")).await {
            // Of a file that is broken, the build itself tells.
            let _ = self.store.keep_lock(self.id, &text).await;
        }
        Ok(())
    }

    fn spawn(&self, request: &Request) -> Result<Child> {
        let mut command = Command::new(self.cargo);
        command.args(request.argv()).args(["--message-format", "json"]).current_dir(self.place.root());
        command.env(process::VARIABLE, self.mark()).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().context("cannot start cargo")
    }

    /// Ends the processes. The leader is reaped meanwhile: as a zombie it would count as one that is left.
    async fn kill_and_reap(&self, child: &mut Child, pid: i64) {
        let (mark, wish) = (self.mark(), self.wish.subscribe());
        tokio::join!(kill::end(pid, &mark, &wish), async { drop(child.wait().await) });
    }

    fn mark(&self) -> String {
        process::mark(self.place.root(), self.id)
    }
}
