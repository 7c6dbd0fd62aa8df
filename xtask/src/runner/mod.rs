//! The runner: executes a plan, the only place that starts its steps, and tells the report what happens.
//!
//! One thread owns all state and waits for messages: lines and ends of steps, tokens of the job budget, signals.

mod crates;
mod jobs;
mod lock;
mod passed;
mod process;
mod progress;
mod running;
mod session;
mod sudo;
// template: if pipeline_tests
// Its steps are shell scripts.
#[cfg(test)]
#[cfg(unix)]
mod tests;
// template: end
mod vertices;
pub(crate) mod watch;
pub(crate) mod watchdog;

use std::io;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jobserver::Acquired;

use crate::plan::Plan;
use crate::platform;
use crate::report::{Event, Report};
use lock::Lock;
use session::{End, Session};

/// How many lines may wait for the report before a step that prints faster has to wait.
const BACKLOG: usize = 1024;
/// How often a lock that another run holds is tried.
const LOCK_INTERVAL: Duration = Duration::from_millis(100);

/// What the runner waits for.
enum Message {
    /// A step printed a line.
    Line { index: usize, text: String },
    /// A step's process ended and nothing more will come from it.
    Ended { index: usize, exit_code: u8 },
    /// A token came from the job budget.
    Token(io::Result<Acquired>),
    /// This program was asked to stop.
    Signal(i32),
}

/// Runs `plan` with `jobs` jobs in all, and returns the exit code: that of the step that failed, if one did.
///
/// # Errors
/// When the run cannot begin, a program is missing, or a product is not there at the end.
pub(crate) fn run(plan: &Plan, jobs: Option<NonZeroUsize>, report: &mut Report) -> Result<ExitCode> {
    sudo::authenticate(plan)?;
    let began = Instant::now();
    let (sender, receiver) = sync_channel(BACKLOG);
    forward_signals(sender.clone())?;
    std::env::set_current_dir(&plan.cwd).with_context(|| format!("cannot enter {}", plan.cwd.display()))?;

    let end = match take_lock(plan, &receiver, report)? {
        Err(signal) => End { exit_code: platform::by_signal(signal), ..End::default() },
        Ok(_lock) => {
            report.forget(&plan.products);
            report.begin(plan);
            let end = Session::new(plan, jobs, sender, report)?.run(&receiver)?;
            passed::note(plan, &end.succeeded);
            match end.exit_code {
                0 => report.products(&plan.products)?,
                _ => report.findings(&plan.products)?,
            }
            end
        }
    };
    let (failed, failures) = (end.failures.first().map(|first| first.step), end.failures.as_slice());
    let seconds = began.elapsed().as_secs_f64();
    report.event(&Event::Finished { exit_code: end.exit_code, seconds, failed, failures });
    if let Some(step) = plan.then.as_ref().filter(|_| end.exit_code == 0) {
        return process::hand_over(step, &plan.cwd);
    }
    Ok(ExitCode::from(end.exit_code))
}

/// Takes the plan's lock, however long another run holds it, unless a signal comes first.
fn take_lock(
    plan: &Plan,
    messages: &Receiver<Message>,
    report: &mut Report,
) -> Result<Result<Option<Lock>, i32>> {
    let Some(path) = &plan.lock else { return Ok(Ok(None)) };
    let mut is_told = false;
    loop {
        if let Some(lock) = Lock::try_take(path)? {
            return Ok(Ok(Some(lock)));
        }
        if !is_told {
            let message = "waiting for another `cargo xtask` that builds in this folder".to_owned();
            report.event(&Event::Note { message });
            is_told = true;
        }
        match messages.recv_timeout(LOCK_INTERVAL) {
            Ok(Message::Signal(signal)) => return Ok(Err(signal)),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(Ok(None)),
        }
    }
}

/// From here on, signals that would end this program are messages.
fn forward_signals(messages: SyncSender<Message>) -> Result<()> {
    let send = move |signal| drop(messages.send(Message::Signal(signal)));
    platform::on_stop(send).context("cannot handle signals")
}
