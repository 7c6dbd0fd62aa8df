//! The job budget: one [jobserver](https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html) for every
//! cargo and compiler below this process.
//!
//! A running step holds one slot, as a job of make does, and the processes below it take more from the same pool. This
//! process owns one slot from the start; the others are tokens.

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
    /// Waits for tokens, so that the runner does not have to.
    helper: HelperThread,
    free: Vec<Slot>,
    requested: usize,
}

/// The right to run one step; given back when dropped.
pub(super) enum Slot {
    /// The one that this process has without asking.
    Own,
    /// One of the pool.
    Token { _token: Acquired },
}

impl JobBudget {
    /// Joins the jobserver that was inherited from `make -j` or cargo, or makes one with `jobs` slots in all.
    pub(super) fn new(jobs: Option<NonZeroUsize>, messages: SyncSender<Message>) -> Result<JobBudget> {
        let client = match inherited() {
            Some(client) => client,
            None => Client::new(jobs.map_or_else(num_cpus::get, NonZeroUsize::get) - 1)
                .context("cannot make a jobserver")?,
        };
        let helper = client
            .clone()
            .into_helper_thread(move |token| drop(messages.send(Message::Token(token))))
            .context("cannot start the jobserver's thread")?;
        Ok(JobBudget { client, helper, free: vec![Slot::Own], requested: 0 })
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

    /// The pool itself, for children to join.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }
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
