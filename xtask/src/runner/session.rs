//! The state of one run: which steps wait, run and have ended, and how a run that has to stop is brought to its end.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};

use super::group::{self, Firmness};
use super::jobs::{JobBudget, Slot};
use super::process::{self, Surroundings};
use super::vertices::Vertices;
use super::watchdog::Watchdog;
use super::{Message, code_of};
use crate::plan::{Plan, Step};
use crate::report::{Event, Outcome, Report};

/// How long processes have after SIGINT before SIGTERM, and after that before SIGKILL.
const PATIENCE: [(Firmness, Duration); 2] =
    [(Firmness::Terminate, Duration::from_secs(3)), (Firmness::Kill, Duration::from_secs(2))];

/// The exit code that shells give to a command that is not there.
const COMMAND_NOT_FOUND: u8 = 127;

/// A run.
pub(super) struct Session<'p, 'r> {
    plan: &'p Plan,
    report: &'r mut Report,
    messages: SyncSender<Message>,
    budget: JobBudget,
    watchdog: Watchdog,
    steps: Vec<State>,
    stop: Option<Stop>,
    end: End<'p>,
}

/// How a run ended.
#[derive(Clone, Copy, Default)]
pub(super) struct End<'p> {
    /// 0, or that of the step that failed first, or 128 and the number of the signal.
    pub(super) exit_code: u8,
    /// The step that failed first.
    pub(super) failed: Option<&'p str>,
}

enum State {
    Waiting,
    Running(Running),
    Succeeded,
    Over,
}

struct Running {
    /// Its process group; none when its program could not be started.
    leader: Option<u32>,
    slot: Slot,
    began: Instant,
    before: Vec<Option<Stamp>>,
    /// Those that its lines tell of, if they do.
    vertices: Option<Box<Vertices>>,
}

/// What changes when a file is written again.
type Stamp = (SystemTime, u64);

/// A run that is being brought to its end.
struct Stop {
    /// How often the processes were asked more firmly.
    asked: usize,
    since: Instant,
}

impl<'p, 'r> Session<'p, 'r> {
    pub(super) fn new(
        plan: &'p Plan,
        jobs: Option<NonZeroUsize>,
        messages: SyncSender<Message>,
        report: &'r mut Report,
    ) -> Result<Session<'p, 'r>> {
        Ok(Session {
            plan,
            report,
            budget: JobBudget::new(jobs, messages.clone())?,
            messages,
            watchdog: Watchdog::start().context("cannot start the watchdog")?,
            steps: plan.steps.iter().map(|_| State::Waiting).collect(),
            stop: None,
            end: End::default(),
        })
    }

    /// Runs until nothing runs any more and nothing more can start.
    pub(super) fn run(mut self, messages: &Receiver<Message>) -> Result<End<'p>> {
        while self.is_unfinished() {
            if self.stop.is_none() {
                self.start_ready_steps();
                // What could not even be started sends no message.
                if !self.is_unfinished() {
                    break;
                }
            }
            match self.next(messages) {
                Some(Message::Line { index, text }) => self.printed(index, &text),
                Some(Message::Ended { index, exit_code }) => self.ended(index, exit_code),
                Some(Message::Token(token)) => self.budget.add(token)?,
                Some(Message::Signal(signal)) => self.signalled(signal),
                None => self.insist(),
            }
        }
        Ok(self.end)
    }

    fn is_unfinished(&self) -> bool {
        let is_running = |state: &State| matches!(state, State::Running(_));
        let is_waiting = |state: &State| matches!(state, State::Waiting);
        self.steps.iter().any(is_running) || (self.stop.is_none() && self.steps.iter().any(is_waiting))
    }

    /// The next message; none when it is time to ask more firmly.
    fn next(&self, messages: &Receiver<Message>) -> Option<Message> {
        let patience = self.stop.as_ref().and_then(|stop| {
            let (_, patience) = PATIENCE.get(stop.asked)?;
            Some(patience.saturating_sub(stop.since.elapsed()))
        });
        match patience {
            // This session holds a sender itself, so the channel cannot be disconnected.
            None => messages.recv().ok(),
            Some(patience) => messages.recv_timeout(patience).ok(),
        }
    }

    fn start_ready_steps(&mut self) {
        self.skip_ready_steps();
        let ready = self.ready();
        for (started, index) in ready.iter().enumerate() {
            let beside =
                if self.plan.steps[*index].background { self.budget.take_background() } else { None };
            let Some(slot) = beside.or_else(|| self.budget.take(ready.len() - started)) else { continue };
            self.start(*index, slot);
            if self.stop.is_some() {
                return;
            }
        }
    }

    /// Passes over what cannot run here; those that need it may be next.
    fn skip_ready_steps(&mut self) {
        let plan = self.plan;
        let to_skip = |index: &usize| Some((*index, plan.steps[*index].skip.as_deref()?));
        while let Some((index, reason)) = self.ready().iter().find_map(to_skip) {
            let Step { name, why, .. } = &plan.steps[index];
            self.report.event(&Event::StepSkipped { step: name, why, reason });
            self.steps[index] = State::Succeeded;
        }
    }

    /// The steps that could start now.
    fn ready(&self) -> Vec<usize> {
        let succeeded = |name: &String| {
            let position = self.plan.steps.iter().position(|step| step.name == *name);
            position.is_some_and(|index| matches!(self.steps[index], State::Succeeded))
        };
        let is_ready = |index: &usize| {
            matches!(self.steps[*index], State::Waiting)
                && self.plan.steps[*index].needs.iter().all(succeeded)
        };
        (0..self.plan.steps.len()).filter(is_ready).collect()
    }

    fn start(&mut self, index: usize, slot: Slot) {
        let step = &self.plan.steps[index];
        self.report.event(&Event::StepStarted {
            step: &step.name,
            why: &step.why,
            command: step.to_string(),
            part_of: None,
            cached: false,
        });
        let colour = self.report.is_coloured();
        let start = |client| {
            let around = Surroundings { cwd: &self.plan.cwd, client, colour };
            process::start(step, index, &around, self.messages.clone())
        };
        let (began, before) = (Instant::now(), self.stamps(step));
        let started = self.budget.client(&slot).and_then(start);
        let vertices = step.vertices.then(|| Box::new(Vertices::new(&step.name)));
        let mut running = Running { leader: None, slot, began, before, vertices };
        match started {
            Ok(leader) => {
                self.watchdog.watch(leader);
                running.leader = Some(leader);
                self.steps[index] = State::Running(running);
            }
            Err(error) => {
                self.report.event(&Event::Output { step: &step.name, line: &format!("{error:#}") });
                self.steps[index] = State::Running(running);
                self.ended(index, COMMAND_NOT_FOUND);
            }
        }
    }

    fn printed(&mut self, index: usize, line: &str) {
        match &mut self.steps[index] {
            State::Running(Running { vertices: Some(vertices), .. }) => {
                vertices.line(line, &mut |event| self.report.event(event));
            }
            _ => self.report.event(&Event::Output { step: &self.plan.steps[index].name, line }),
        }
    }

    fn ended(&mut self, index: usize, exit_code: u8) {
        let State::Running(running) = std::mem::replace(&mut self.steps[index], State::Over) else { return };
        let step = &self.plan.steps[index];
        if let Some(leader) = running.leader {
            if self.stop.is_some() {
                // What the step left behind had its chance to end by itself.
                group::signal(leader, Firmness::Kill);
            }
            self.watchdog.release(leader);
        }
        self.budget.give_back(running.slot);
        if let Some(mut vertices) = running.vertices {
            vertices.end(&mut |event| self.report.event(event));
        }
        let outcome = match exit_code {
            0 if !running.before.is_empty() && running.before == self.stamps(step) => Outcome::Cached,
            0 => Outcome::Done,
            _ if self.stop.is_some() => Outcome::Cancelled,
            _ => Outcome::Failed,
        };
        if exit_code == 0 {
            self.steps[index] = State::Succeeded;
        }
        let seconds = running.began.elapsed().as_secs_f64();
        let step = &step.name;
        self.report.event(&Event::StepFinished { step, outcome, exit_code, seconds, part_of: None });
        if outcome == Outcome::Failed {
            self.stop(End { exit_code, failed: Some(step) });
        }
    }

    fn signalled(&mut self, signal: i32) {
        match &mut self.stop {
            None => {
                self.report.event(&Event::Note { message: "stopping; once more to kill".to_owned() });
                self.stop(End { exit_code: code_of(signal), failed: None });
            }
            Some(stop) => {
                stop.asked = PATIENCE.len();
                self.signal_all(Firmness::Kill);
            }
        }
    }

    /// Starts nothing more and asks what runs to end.
    fn stop(&mut self, end: End<'p>) {
        self.end = end;
        self.stop = Some(Stop { asked: 0, since: Instant::now() });
        self.signal_all(Firmness::Interrupt);
    }

    /// Asks more firmly.
    fn insist(&mut self) {
        let Some(stop) = &mut self.stop else { return };
        let Some((firmness, _)) = PATIENCE.get(stop.asked) else { return };
        *stop = Stop { asked: stop.asked + 1, since: Instant::now() };
        self.signal_all(*firmness);
    }

    fn signal_all(&self, firmness: Firmness) {
        for state in &self.steps {
            if let State::Running(Running { leader: Some(leader), .. }) = state {
                group::signal(*leader, firmness);
            }
        }
    }

    fn stamps(&self, step: &Step) -> Vec<Option<Stamp>> {
        let stamp = |path: &PathBuf| {
            let metadata = fs::metadata(self.plan.cwd.join(path)).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        step.outputs.iter().map(stamp).collect()
    }
}
