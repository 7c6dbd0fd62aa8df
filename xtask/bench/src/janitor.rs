//! The janitor: a second process that cleans up when the first one is over, however it ended.
//!
//! A process that gets SIGKILL cannot remove its folder. Its end of a pipe closes, though, and the process that reads the
//! other end knows what was running, and what is to go.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::command::end_group;
use crate::docker;

/// How long programs have between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(2);

/// The side of the process that measures.
pub(crate) struct Janitor(Mutex<Child>);

impl Janitor {
    /// Starts the second process, in a group of its own so that Ctrl-C does not reach it. It removes `folder`, and what
    /// Docker has by the name `id`.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(folder: &Path, id: &str) -> Result<Janitor> {
        let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
        command.arg("janitor").arg(folder).arg(id);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        Ok(Janitor(Mutex::new(command.spawn().context("cannot start what cleans up")?)))
    }

    /// A group of processes is running.
    pub(crate) fn started(&self, group: i32) {
        self.tell(&format!("+{group}"));
    }

    /// It has ended.
    pub(crate) fn ended(&self, group: i32) {
        self.tell(&format!("-{group}"));
    }

    /// A record of the builder's cache, by its id, is to go as well.
    pub(crate) fn prune(&self, record: &str) {
        self.tell(&format!("prune {record}"));
    }

    /// Without a janitor a run is less safe but not wrong, so failures here do not end it.
    fn tell(&self, line: &str) {
        if let Ok(mut child) = self.0.lock()
            && let Some(pipe) = child.stdin.as_mut()
        {
            let _ = writeln!(pipe, "{line}");
        }
    }
}

impl Drop for Janitor {
    /// Waits until all is clean.
    fn drop(&mut self) {
        if let Ok(child) = self.0.get_mut() {
            child.stdin.take();
            let _ = child.wait();
        }
    }
}

/// The second process: reads until the first one is gone, then cleans up what that left.
///
/// # Errors
/// When the folder cannot be removed.
pub(crate) fn main(folder: &PathBuf, id: &str) -> Result<()> {
    let (groups, records) = heard(std::io::stdin());
    for signal in [Signal::TERM, Signal::KILL] {
        groups.iter().for_each(|group| end_group(*group, signal));
        if !groups.is_empty() {
            thread::sleep(GRACE);
        }
    }
    docker::remove(id);
    docker::prune(&records);
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// The groups that still run at the end, and the records that are to go.
fn heard(pipe: impl Read) -> (BTreeSet<i32>, BTreeSet<String>) {
    let (mut groups, mut records) = (BTreeSet::new(), BTreeSet::new());
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        match (line.strip_prefix('+'), line.strip_prefix('-'), line.strip_prefix("prune ")) {
            (Some(group), ..) => groups.extend(group.parse::<i32>()),
            (_, Some(group), _) => {
                group.parse().map(|group: i32| groups.remove(&group)).unwrap_or_default();
            }
            (.., Some(record)) => {
                records.insert(record.to_owned());
            }
            _ => {}
        }
    }
    (groups, records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_left_alone() {
        let (groups, records) = heard(&b"+7\n+8\n-7\nprune abc\nrubbish\n"[..]);
        assert_eq!((groups, records), (BTreeSet::from([8]), BTreeSet::from(["abc".to_owned()])));
    }
}
