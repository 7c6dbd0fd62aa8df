//! How a build is ended: asked, asked again, and then no longer asked.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::process;
use crate::store::Leader;

/// How long a build has to end by itself after Ctrl-C, in which it removes what is half done.
const INTERRUPTED: Duration = Duration::from_secs(10);

/// How long it has after SIGTERM.
const TERMINATED: Duration = Duration::from_secs(5);

/// How often it is looked whether anything is left.
const LOOK: Duration = Duration::from_millis(50);

/// Ends the group of `leader`, and whatever else has `mark` in its environment. When this returns, nothing is left but
/// what its parent has to reap.
pub(super) async fn end(leader: i64, mark: &str) {
    for (signal, time) in [(Signal::INT, INTERRUPTED), (Signal::TERM, TERMINATED)] {
        process::signal_group(leader, signal);
        if is_gone(leader, mark, time).await {
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
        Some(leader) => end(leader.pid, mark).await,
        None => sweep(mark).await,
    }
}

async fn is_gone(leader: i64, mark: &str, time: Duration) -> bool {
    let looks = time.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        if !process::has_group(leader) && process::marked(mark).is_empty() {
            return true;
        }
        sleep(LOOK).await;
    }
    false
}
