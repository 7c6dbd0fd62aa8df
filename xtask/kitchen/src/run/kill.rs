//! How a build is ended: asked, asked again, and then no longer asked.

use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch::{self, Receiver};
use tokio::time::{Instant, sleep};

use super::process;
use crate::store::Leader;

/// How often it is looked whether anything is left.
const LOOK: Duration = Duration::from_millis(50);

/// What is wanted of a build that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// That it goes on.
    GoOn,
    /// That it ends, and removes what is half done.
    End,
    /// That it is gone, because Kitchen ends.
    EndNow,
}

impl Wish {
    /// How long a build has after this signal.
    fn patience(self, signal: Signal) -> Duration {
        match (self, signal) {
            (Wish::EndNow, Signal::INT) => Duration::from_millis(500),
            (Wish::EndNow, _) => Duration::from_millis(100),
            (_, Signal::INT) => Duration::from_secs(10),
            (_, _) => Duration::from_secs(5),
        }
    }
}

/// Ends the group of `leader`, and whatever else has `mark` in its environment, as fast as is wished. When this returns,
/// nothing is left but what its parent has to reap.
pub(super) async fn end(leader: i64, mark: &str, wish: &Receiver<Wish>) {
    for signal in [Signal::INT, Signal::TERM] {
        process::signal_group(leader, signal);
        if is_gone(leader, mark, signal, || wish.borrow().patience(signal)).await {
            return;
        }
    }
    process::signal_group(leader, Signal::KILL);
    sweep(mark).await;
}

/// Kills what is left of a build whose leader has ended.
pub(super) async fn sweep(mark: &str) {
    let mark = mark.to_owned();
    // It waits, and reads many small files.
    let _ = tokio::task::spawn_blocking(move || process::kill_marked(&mark)).await;
}

/// Ends what an earlier Kitchen left running. A process that only has the same number is left alone.
pub(super) async fn end_leftover(leader: Option<Leader>, mark: &str) {
    match leader.filter(|leader| process::is_alive(*leader)) {
        Some(leader) => end(leader.pid, mark, &watch::Sender::new(Wish::End).subscribe()).await,
        None => sweep(mark).await,
    }
}

/// Ends the process of a terminal, which ends its own steps. Neither its group nor its children are ours.
pub(crate) async fn end_exactly(leader: Leader) {
    for signal in [Signal::INT, Signal::TERM] {
        let began = Instant::now();
        if !process::signal_exactly(leader, signal) {
            return;
        }
        while began.elapsed() < Wish::End.patience(signal) {
            if !process::is_alive(leader) {
                return;
            }
            sleep(LOOK).await;
        }
    }
    process::signal_exactly(leader, Signal::KILL);
}

async fn is_gone(leader: i64, mark: &str, signal: Signal, patience: impl Fn() -> Duration) -> bool {
    let began = Instant::now();
    let mut is_asked = false;
    while began.elapsed() < patience() {
        if !process::has_group(leader) {
            let left = process::marked(mark);
            if left.is_empty() {
                return true;
            }
            // Whoever has left the group was not asked, and has nobody any more who would.
            if !is_asked {
                left.into_iter().for_each(|process| process::signal(process, signal));
                is_asked = true;
            }
        }
        sleep(LOOK).await;
    }
    false
}
