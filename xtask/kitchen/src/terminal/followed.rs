//! Builds that run in terminals right now.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::run::{end_exactly, is_alive};
use crate::store::Leader;

/// Those that are followed, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Followed(Mutex<HashMap<i64, InTerminal>>);

/// A build that runs in a terminal.
#[derive(Clone, Debug)]
pub(super) struct InTerminal {
    /// How long its log is.
    pub(super) length: watch::Receiver<u64>,
    /// Its process.
    pub(super) leader: Option<Leader>,
    /// Whether somebody here has had it ended.
    pub(super) is_killed: Arc<AtomicBool>,
}

impl Followed {
    /// How long the log of a build is, now and from now on.
    pub(crate) fn length(&self, id: i64) -> Option<watch::Receiver<u64>> {
        self.all().get(&id).map(|build| build.length.clone())
    }

    /// Has a build ended. None for one that is not followed; false where its process is not there, or is another by now.
    pub(crate) fn kill(&self, id: i64) -> Option<bool> {
        let InTerminal { leader, is_killed, .. } = self.all().get(&id).cloned()?;
        let Some(leader) = leader.filter(|leader| is_alive(*leader)) else { return Some(false) };
        // A second signal would not be a second wish, but insisting.
        if !is_killed.swap(true, Ordering::Relaxed) {
            tokio::spawn(end_exactly(leader));
        }
        Some(true)
    }

    pub(super) fn add(&self, id: i64, build: InTerminal) {
        self.all().insert(id, build);
    }

    pub(super) fn remove(&self, id: i64) {
        self.all().remove(&id);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<i64, InTerminal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
