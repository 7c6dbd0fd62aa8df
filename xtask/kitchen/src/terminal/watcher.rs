//! Looks for records, and follows those that there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;

use anyhow::{Context as _, Result};

use super::follow::{Follower, Lines};
use super::followed::{Followed, InTerminal};
use super::record::Header;
use crate::build::{Choices, Request, Status};
use crate::clock;
use crate::log::Writer;
use crate::place::{Place, private};
use crate::run::{Feed, Mask};
use crate::store::{End, Store, TakenUp};

/// After how many looks those that could not be followed are tried again.
const LOOKS_APART: u32 = 60;

/// Follows the records of one project.
#[derive(Debug)]
pub(crate) struct Watcher<'a> {
    place: &'a Place,
    store: &'a Store,
    choices: &'a Choices,
    /// The size of a log, in bytes.
    log: u64,
    /// Of this environment. Whoever has written a record has left out what is secret in its own.
    mask: &'a Mask,
    followed: &'a Followed,
    /// By name and number.
    followers: BTreeMap<String, (i64, Follower)>,
    /// Those that could not be followed, such as on a full disk. They are tried again after a while.
    failed: BTreeSet<String>,
    looks: u32,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(
        place: &'a Place,
        store: &'a Store,
        choices: &'a Choices,
        log: u64,
        mask: &'a Mask,
        followed: &'a Followed,
    ) -> Watcher<'a> {
        let (followers, failed) = (BTreeMap::new(), BTreeSet::new());
        Watcher { place, store, choices, log, mask, followed, followers, failed, looks: 0 }
    }

    /// Takes up what is new, and takes in what has been added. Says whether a build has ended.
    pub(crate) async fn look(&mut self) -> bool {
        let names = self.names();
        self.looks += 1;
        if self.looks.is_multiple_of(LOOKS_APART) {
            self.failed.clear();
        }
        for name in &names {
            let is_new = !self.followers.contains_key(name) && !self.failed.contains(name);
            // What cannot be taken up is in nobody's way.
            if is_new && self.take_up(name).await.is_err() {
                self.failed.insert(name.clone());
            }
        }
        let mut has_ended = self.end_lost(&names).await.unwrap_or_default();
        let mut over = Vec::new();
        for (name, (id, follower)) in &mut self.followers {
            match follower.look().await {
                Ok(None) => {}
                Ok(Some(ended)) => over.push((name.clone(), *id, Some(ended))),
                Err(_) => over.push((name.clone(), *id, None)),
            }
        }
        for (name, id, ended) in over {
            // The log ends before the history says so, as that of own builds does.
            self.followers.remove(&name);
            let kept = match ended {
                Some(ended) => self.end(id, &name, ended).await.is_ok(),
                None => false,
            };
            match kept {
                true => has_ended = true,
                // Its record is still there, and is read again from its beginning.
                false => drop(self.failed.insert(name)),
            }
            self.followed.remove(id);
        }
        has_ended
    }

    /// The records that there are, the oldest first: their names begin with the time.
    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.place.spool()).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.ends_with(".jsonl")).collect()
    }

    async fn take_up(&mut self, name: &str) -> Result<()> {
        if let Some((_, status)) = self.store.recorded(name).await?
            && status.is_final()
        {
            return self.remove(name);
        }
        let Some(mut lines) = Lines::open(&self.place.spool().join(name)) else { return Ok(()) };
        let is_let_go = lines.is_let_go();
        let header = lines.first()?.and_then(|line| Header::parse(&line));
        let Some(mut header) = header else {
            // It says nothing, and whoever is still at it has begun wrongly.
            return if is_let_go {
                self.remove(name)
            } else {
                anyhow::bail!("it does not begin as a record does")
            };
        };
        // One that begins in the future would never be old.
        header.started = header.started.min(clock::now());
        let request = Request::from_words(&header.words, self.choices).ok();
        let taken_up = TakenUp {
            record: name,
            started: header.started,
            command: &header.command(),
            words: &header.words,
            request: request.as_ref(),
        };
        let id = self.store.take_up(&taken_up).await?;
        self.note_ingredients(id, request.as_ref(), is_let_go).await?;
        for path in [self.place.log(id), self.place.events(id)] {
            gone(fs::remove_file(path)).context("cannot begin the log anew")?;
        }
        let log = Writer::open(&self.place.log(id), self.log)?;
        let events = private(&self.place.events(id)).context("cannot open the file of events")?;
        let length = log.length();
        let feed = Feed {
            build: id,
            log,
            events,
            store: self.store.clone(),
            mask: self.mask.clone(),
            end: End::default(),
            fresh: HashMap::new(),
        };
        let follower = Follower::new(lines, &header, feed);
        let is_killed = follower.is_killed.clone();
        self.followed.add(id, InTerminal { length, leader: header.leader(), is_killed });
        self.followers.insert(name.to_owned(), (id, follower));
        Ok(())
    }

    /// Notes what a build is made of, besides its commit. What it had that is over is not there any more.
    async fn note_ingredients(&self, id: i64, request: Option<&Request>, is_over: bool) -> Result<()> {
        if let Some(request) = request {
            self.store.is_for(id, request.databases(self.choices)).await?;
        }
        if let Ok(text) = fs::read_to_string(self.place.root().join("Cargo.lock"))
            && !is_over
        {
            // Of a file that is broken, the build itself tells.
            let _ = self.store.keep_lock(id, &text).await;
        }
        Ok(())
    }

    async fn end(&self, id: i64, name: &str, ended: (Status, End, i64)) -> Result<()> {
        let (status, end, finished) = ended;
        self.store.end_at(id, finished, status, &end).await?;
        self.remove(name)
    }

    /// Ends the builds whose records somebody has removed.
    async fn end_lost(&mut self, names: &BTreeSet<String>) -> Result<bool> {
        let mut has_ended = false;
        for (id, name) in self.store.in_terminals().await? {
            if names.contains(&name) {
                continue;
            }
            let end = End { error: Some("the record of the build was removed".to_owned()), ..End::default() };
            self.store.end_at(id, clock::now(), Status::Interrupted, &end).await?;
            self.followers.remove(&name);
            self.followed.remove(id);
            has_ended = true;
        }
        Ok(has_ended)
    }

    fn remove(&self, name: &str) -> Result<()> {
        gone(fs::remove_file(self.place.spool().join(name))).context("cannot remove a record")
    }
}

/// That it is gone already is as well.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
