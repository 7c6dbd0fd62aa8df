//! The job budget: one [jobserver](https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html) for every
//! cargo and compiler below this process.
//!
//! A running step holds one slot, as a job of make does, and the processes below it take more from the same pool. This
//! process owns one slot from the start; the others are tokens.
//!
//! A background step runs beside the pool, with a single job, since it has the lowest priority or next to nothing to do: it
//! takes no slot from a step that someone waits for, and waits for none that a compiler holds. Where one job is all that is
//! wanted, or the pool is someone else's, it is a step like any other.

use std::io;
use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::mpsc::SyncSender;

use anyhow::{Context, Result};
use jobserver::{Acquired, Client, HelperThread};

use super::Message;

/// The pool, and what of it is free for a step to take.
pub(super) struct JobBudget {
    client: Client,
    allows_background: bool,
    /// Waits for tokens, so that the runner does not have to.
    helper: HelperThread,
    free: Vec<Slot>,
    requested: usize,
    jobs: usize,
}

/// The right to run one step; given back when dropped.
pub(super) enum Slot {
    /// The one that this process has without asking.
    Own,
    /// One of the pool.
    Token { _token: Acquired },
    /// Beside the pool.
    Background,
}

impl JobBudget {
    /// Joins the jobserver that was inherited from `make -j` or cargo, or makes one with `jobs` slots in all.
    pub(super) fn new(jobs: Option<NonZeroUsize>, messages: SyncSender<Message>) -> Result<JobBudget> {
        let jobs = jobs.map_or_else(num_cpus::get, NonZeroUsize::get);
        let inherited = inherited();
        let allows_background = inherited.is_none() && jobs > 1;
        let client = inherited.map_or_else(|| pool(jobs), Ok)?;
        let helper = client
            .clone()
            .into_helper_thread(move |token| drop(messages.send(Message::Token(token))))
            .context("cannot start the jobserver's thread")?;
        Ok(JobBudget { client, allows_background, helper, free: vec![Slot::Own], requested: 0, jobs })
    }

    /// Takes a slot beside the pool, if there may be any.
    pub(super) fn take_background(&self) -> Option<Slot> {
        self.allows_background.then_some(Slot::Background)
    }

    /// Takes a free slot for one of `waiting` steps, or asks for one to be sent as a message.
    pub(super) fn take(&mut self, waiting: usize) -> Option<Slot> {
        let slot = self.free.pop();
        if slot.is_none() && self.requested < waiting {
            self.helper.request_token();
            self.requested += 1;
        }
        slot
    }

    /// A token that was asked for has come.
    pub(super) fn add(&mut self, token: io::Result<Acquired>) -> Result<()> {
        self.requested -= 1;
        self.free.push(Slot::Token { _token: token.context("cannot read from the jobserver")? });
        Ok(())
    }

    /// Gives a slot back: the own one for the next step, a token to the pool for whoever needs it.
    pub(super) fn give_back(&mut self, slot: Slot) {
        if matches!(slot, Slot::Own) {
            self.free.push(slot);
        }
    }

    /// Leaves to compilers what no step can take: the free tokens, and for the own slot, the token of a step that runs.
    pub(super) fn lend<'a>(&mut self, mut running: impl Iterator<Item = &'a mut Slot>) {
        self.free.retain(|slot| matches!(slot, Slot::Own));
        if self.free.is_empty() {
            return;
        }
        if let Some(slot) = running.find(|slot| matches!(slot, Slot::Token { .. })) {
            *slot = Slot::Own;
            self.free.clear();
        }
    }

    /// How many jobs a step with `slot` and its children may have at once. Of a pool of someone else's that is a guess.
    pub(super) fn jobs(&self, slot: &Slot) -> usize {
        match slot {
            Slot::Own | Slot::Token { .. } => self.jobs,
            Slot::Background => 1,
        }
    }

    /// The pool that a step with `slot` and its children share.
    pub(super) fn client(&self, slot: &Slot) -> Result<Client> {
        match slot {
            Slot::Own | Slot::Token { .. } => Ok(self.client.clone()),
            Slot::Background => pool(1),
        }
    }
}

/// A pool of `jobs` slots, one of which its owner has without asking.
fn pool(jobs: usize) -> Result<Client> {
    Client::new(jobs - 1).context("cannot make a jobserver")
}

/// Lets `command` and what it starts take part in the pool of `client`.
pub(super) fn share(client: &Client, command: &mut Command) {
    client.configure(command);
}

/// The jobserver of the make or cargo that started this process.
fn inherited() -> Option<Client> {
    // SAFETY: the file descriptors that the environment names are the jobserver's by its protocol, they are checked to
    // be pipes, and this runs before this process opens any that could have taken their numbers.
    #[allow(unsafe_code)]
    let found = unsafe { Client::from_env_ext(true) };
    found.client.ok()
}
