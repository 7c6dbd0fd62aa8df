//! The processes of a watch: a stage or the service, each with the ways in which it is brought to its end.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::plan::Step;
use crate::platform::{self, Firmness, Group};
use crate::runner::watchdog::Watchdog;
use crate::runner::{Message, process};

/// Where the output of a process goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Where that of this program goes.
    Inherited,
    /// Line by line to the report.
    Lines,
    /// Nowhere.
    Dropped,
}

/// Starts processes, and knows those that run.
pub(super) struct Spawner {
    cwd: PathBuf,
    messages: SyncSender<Message>,
    watchdog: Watchdog,
    /// By number, the group of each.
    running: BTreeMap<usize, Group>,
    next: usize,
}

impl Spawner {
    /// All run in the folder `cwd`; their lines and ends come to `messages`.
    pub(super) fn new(cwd: &Path, messages: SyncSender<Message>) -> Result<Spawner> {
        let watchdog = Watchdog::start().context("cannot start the watchdog")?;
        Ok(Spawner { cwd: cwd.to_owned(), messages, watchdog, running: BTreeMap::new(), next: 0 })
    }

    /// Starts what `step` says, and returns its number.
    fn spawn(&mut self, step: &Step, output: Output) -> Result<usize> {
        let mut command = command(step, &self.cwd);
        let lines = match output {
            Output::Inherited => None,
            Output::Dropped => {
                command.stdout(Stdio::null()).stderr(Stdio::null());
                None
            }
            Output::Lines => {
                let (reader, writer) = io::pipe().context("cannot make a pipe")?;
                command.stdout(writer.try_clone().context("cannot make a pipe")?).stderr(writer);
                Some(reader)
            }
        };
        let started = command.spawn().with_context(|| format!("cannot start `{}`", step.argv[0]));
        // Its ends of the pipe would keep that open.
        drop(command);
        let mut child = started?;
        let (group, index) = (Group::of(child.id()), self.next);
        self.next += 1;
        self.watchdog.watch(&group);
        self.running.insert(index, group);
        let messages = self.messages.clone();
        thread::spawn(move || {
            if let Some(lines) = lines {
                let send = |text| drop(messages.send(Message::Line { index, text }));
                // An error of reading means that the process is gone; its status tells more.
                let _ = process::for_each_line(lines, send);
            }
            let exit_code = child.wait().map_or(1, platform::exit_code);
            drop(messages.send(Message::Ended { index, exit_code }));
        });
        Ok(index)
    }

    /// A process is gone.
    pub(super) fn ended(&mut self, index: usize) {
        if let Some(group) = self.running.remove(&index) {
            self.watchdog.release(&group);
        }
    }

    fn signal(&self, index: usize, firmness: Firmness) {
        if let Some(group) = self.running.get(&index) {
            group.signal(firmness);
        }
    }
}

fn command(step: &Step, cwd: &Path) -> Command {
    let mut command = process::command(step, cwd);
    command.stdin(Stdio::null());
    Group::lead(&mut command);
    command
}

/// A way to end something.
pub(super) enum Way {
    /// A signal to its group.
    Signal(Firmness),
    /// A command that does it.
    Command(Box<Step>),
}

/// How soon a command that could not end something is tried again: a container that is only being made cannot be ended.
const RETRY: Duration = Duration::from_millis(300);
/// How often that is tried.
const RETRIES: usize = 5;

/// Something that runs, and is over when all of its processes are gone.
pub(super) struct Task {
    /// The first is what was started; those after it are to end it.
    parts: Vec<usize>,
    first: usize,
    /// How it is ended, one way after the other, and how long each may take.
    ways: Vec<(Way, Duration)>,
    /// The way that is next, and when, once it is to end.
    next: Option<(usize, Instant)>,
    retries: usize,
    /// That of what was started, once it is gone.
    exit_code: Option<u8>,
}

impl Task {
    /// Starts `step`.
    ///
    /// # Errors
    /// When its program cannot be started.
    pub(super) fn start(
        spawner: &mut Spawner,
        step: &Step,
        output: Output,
        ways: Vec<(Way, Duration)>,
    ) -> Result<Task> {
        let first = spawner.spawn(step, output)?;
        Ok(Task { parts: vec![first], first, ways, next: None, retries: 0, exit_code: None })
    }

    /// Whether somebody wants it to end.
    pub(super) fn is_ending(&self) -> bool {
        self.next.is_some()
    }

    /// Begins to end it, unless that has begun.
    pub(super) fn end(&mut self, spawner: &mut Spawner, now: Instant) {
        if !self.is_ending() {
            self.insist(spawner, now);
        }
    }

    /// Tries the next way, without waiting for the one before.
    pub(super) fn insist(&mut self, spawner: &mut Spawner, now: Instant) {
        let next = self.next.map_or(0, |(next, _)| next);
        let Some((way, patience)) = self.ways.get(next) else { return };
        self.next = Some((next + 1, now + *patience));
        match way {
            Way::Signal(firmness) => self.parts.iter().for_each(|part| spawner.signal(*part, *firmness)),
            Way::Command(step) => self.parts.extend(spawner.spawn(step, Output::Dropped).ok()),
        }
    }

    /// When the next way is due, if it is being ended.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next.filter(|(next, _)| *next < self.ways.len()).map(|(_, due)| due)
    }

    /// Tries the next way if it is due.
    pub(super) fn tick(&mut self, spawner: &mut Spawner, now: Instant) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.insist(spawner, now);
        }
    }

    /// Whether process `index` is what was started.
    pub(super) fn is_of(&self, index: usize) -> bool {
        self.first == index
    }

    /// Process `index` is gone; the exit code of what was started, when that was the last one.
    pub(super) fn ended(&mut self, index: usize, exit_code: u8, now: Instant) -> Option<u8> {
        let at = self.parts.iter().position(|part| *part == index)?;
        self.parts.remove(at);
        if index == self.first {
            self.exit_code = Some(exit_code);
        } else if let (None, Some((next, _))) = (self.exit_code, self.next)
            && exit_code != 0
            && self.retries < RETRIES
        {
            self.retries += 1;
            self.next = Some((next.saturating_sub(1), now + RETRY));
        }
        self.exit_code.filter(|_| self.parts.is_empty())
    }
}
