//! Starting other programs, so that they can be ended, and that what they said is shown when they fail.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::janitor::Janitor;

/// The signal that asked us to stop; 0 without any.
static STOPPED: AtomicI32 = AtomicI32::new(0);
/// The group of the program that runs; 0 without any.
static RUNNING: AtomicI32 = AtomicI32::new(0);

/// How much of what a failed program said is shown.
const LINES: usize = 30;

/// Variables that the cargo which started us has set for us alone, or that would have builds share what they must not.
const OF_CARGO: [&str; 6] =
    ["CARGO", "CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// Runs programs one at a time, each in a process group of its own.
pub(crate) struct Runner {
    janitor: Option<Janitor>,
    log: PathBuf,
}

impl Runner {
    /// One whose programs do not outlive this process, by the `janitor`. What they say goes into a file in `folder`.
    pub(crate) fn new(janitor: Janitor, folder: &Path) -> Runner {
        Runner { janitor: Some(janitor), log: folder.join("log") }
    }

    #[cfg(test)]
    pub(crate) fn plain(folder: &Path) -> Runner {
        Runner { janitor: None, log: folder.join("log") }
    }

    /// What removes things in the end.
    pub(crate) fn janitor(&self) -> Option<&Janitor> {
        self.janitor.as_ref()
    }

    /// Runs `command` to its end.
    ///
    /// # Errors
    /// When it fails, with the last that it said; or when a signal asked us to stop.
    pub(crate) fn run(&self, mut command: Command) -> Result<()> {
        stopped()?;
        let log = File::create(&self.log).context("cannot write a log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone().context("cannot write a log")?).stderr(log);
        command.process_group(0);
        let line = shell(&command);
        let mut child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
        let group = i32::try_from(child.id()).unwrap_or_default();
        RUNNING.store(group, Ordering::SeqCst);
        if let Some(janitor) = &self.janitor {
            janitor.started(group);
        }
        let status = child.wait();
        RUNNING.store(0, Ordering::SeqCst);
        if let Some(janitor) = &self.janitor {
            janitor.ended(group);
        }
        stopped()?;
        let status = status.with_context(|| format!("cannot wait for `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed ({status}):\n{}", self.tail());
        }
        Ok(())
    }

    fn tail(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// A program in a folder, without what the cargo that started us has set for us alone.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    let ours = |name: &str| {
        OF_CARGO.contains(&name) || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
    command
}

/// What a program says, without white space around it; none when it fails or is not there.
pub(crate) fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The command as one types it.
pub(crate) fn shell(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let set = set.map(|(name, value)| format!("{}={}", name.display(), quoted(&value.to_string_lossy())));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    set.chain(words.map(|word| quoted(&word.to_string_lossy()))).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Has signals that ask us to stop end what runs, so that this process can clean up.
///
/// # Errors
/// When the system does not let us.
pub(crate) fn handle_signals() -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("cannot handle signals")?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            STOPPED.store(signal, Ordering::SeqCst);
            end_group(RUNNING.load(Ordering::SeqCst), Signal::TERM);
        }
    });
    Ok(())
}

/// Sends a signal to a group, if there is one.
pub(crate) fn end_group(group: i32, signal: Signal) {
    if let Some(group) = Pid::from_raw(group) {
        // It may have ended already.
        let _ = kill_process_group(group, signal);
    }
}

/// The signal that asked us to stop, if one did.
pub(crate) fn signal() -> Option<i32> {
    Some(STOPPED.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// Whether to go on.
///
/// # Errors
/// When a signal asked us to stop.
pub(crate) fn stopped() -> Result<()> {
    match signal() {
        Some(signal) => bail!("stopped by signal {signal}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut failing = command("sh", folder.path());
        failing.args(["-c", "echo 'some reason' >&2; exit 3"]).env("NAME", "a b");
        let error = Runner::plain(folder.path()).run(failing).unwrap_err().to_string();
        assert!(
            error.starts_with("`NAME='a b' sh -c 'echo '\\''some reason'\\'' >&2; exit 3'` failed"),
            "{error}"
        );
        assert!(error.ends_with("some reason"), "{error}");
    }

    #[test]
    fn programs_that_are_not_there_say_nothing() {
        assert_eq!(output_of("no-such-program", &[]), None);
        assert_eq!(output_of("echo", &["yes"]), Some("yes".to_owned()));
        assert_eq!(output_of("false", &[]), None);
    }
}
