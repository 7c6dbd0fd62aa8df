//! The state of one run: which steps wait, run and have ended, and how a run that has to stop is brought to its end.

mod end;

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender};

use anyhow::{Context, Result};

use super::Message;
use super::jobs::{JobBudget, Slot};
use super::passed;
use super::process::{self, Surroundings};
use super::running::Running;
use super::watchdog::Watchdog;
use crate::plan::{Plan, Step};
use crate::report::{Event, Failure, Outcome, Report};

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
    is_stopping: bool,
    end: End<'p>,
}

/// How a run ended.
#[derive(Default)]
pub(super) struct End<'p> {
    /// 0, or that of the step that failed first, or 128 and the number of the signal.
    pub(super) exit_code: u8,
    /// The steps that failed, in the order in which they did.
    pub(super) failures: Vec<Failure<'p>>,
    /// Those that ran and succeeded.
    pub(super) succeeded: Vec<&'p Step>,
}

enum State {
    Waiting,
    Running(Box<Running>),
    Succeeded,
    Over,
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
            is_stopping: false,
            end: End::default(),
        })
    }

    /// Runs until nothing runs any more and nothing more can start.
    pub(super) fn run(mut self, messages: &Receiver<Message>) -> Result<End<'p>> {
        while self.is_unfinished() {
            if !self.is_stopping {
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
        self.steps.iter().any(is_running) || (!self.is_stopping && self.steps.iter().any(is_waiting))
    }

    /// The next message; none when it is time to ask a step more firmly, or when its tests hang.
    fn next(&self, messages: &Receiver<Message>) -> Option<Message> {
        match self.running().filter_map(|(_, running)| running.patience()).min() {
            // This session holds a sender itself, so the channel cannot be disconnected.
            None => messages.recv().ok(),
            Some(patience) => messages.recv_timeout(patience).ok(),
        }
    }

    fn start_ready_steps(&mut self) {
        self.pass_over_ready_steps();
        let ready = self.startable();
        for (started, index) in ready.iter().enumerate() {
            let beside =
                if self.plan.steps[*index].background { self.budget.take_background() } else { None };
            let Some(slot) = beside.or_else(|| self.budget.take(ready.len() - started)) else { continue };
            self.start(*index, slot);
            if self.is_stopping {
                return;
            }
        }
        if self.startable().is_empty() {
            let slots = self.steps.iter_mut().filter_map(|state| match state {
                State::Running(running) => running.slot.as_mut(),
                _ => None,
            });
            self.budget.lend(slots);
        }
    }

    /// Passes over what cannot run here, and what has succeeded before; those that need it may be next.
    fn pass_over_ready_steps(&mut self) {
        let plan = self.plan;
        let is_over = |step: &Step| step.skip.is_some() || passed::has_passed(plan, step);
        while let Some(index) = self.ready().into_iter().find(|index| is_over(&plan.steps[*index])) {
            let step = &plan.steps[index];
            match &step.skip {
                Some(reason) => self.tell_skipped(step, reason),
                None => self.tell_passed(step),
            }
            self.steps[index] = State::Succeeded;
        }
    }

    fn tell_skipped(&mut self, step: &Step, reason: &str) {
        self.report.event(&Event::StepSkipped { step: &step.name, why: &step.why, reason });
    }

    fn tell_passed(&mut self, step: &Step) {
        let Step { name, why, .. } = step;
        let command = step.to_string();
        self.report.event(&Event::StepStarted { step: name, why, command, part_of: None, cached: true });
        let (outcome, exit_code, seconds) = (Outcome::Cached, 0, 0.0);
        self.report.event(&Event::StepFinished { step: name, outcome, exit_code, seconds, part_of: None });
    }

    /// The steps that run.
    fn running(&self) -> impl Iterator<Item = (usize, &Running)> {
        self.steps.iter().enumerate().filter_map(|(index, state)| match state {
            State::Running(running) => Some((index, running.as_ref())),
            _ => None,
        })
    }

    /// The steps that could start now, if there were jobs for them.
    fn startable(&self) -> Vec<usize> {
        let building = self.running().filter(|(_, running)| !running.is_built);
        let folder = |index: usize| self.plan.steps[index].folder.as_deref();
        let mut taken = building.filter_map(|(index, _)| folder(index)).collect::<Vec<_>>();
        let mut is_free = |index: &usize| {
            let Some(folder) = folder(*index) else { return true };
            let is_free = !taken.contains(&folder);
            taken.push(folder);
            is_free
        };
        self.ready().into_iter().filter(|index| is_free(index)).collect()
    }

    /// The steps whose needs have succeeded.
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
        let started = self.budget.client(&slot).and_then(start);
        let jobs = self.budget.jobs(&slot);
        let mut running = Running::new(step, &self.plan.cwd, slot, jobs);
        match started {
            Ok(group) => {
                self.watchdog.watch(&group);
                running.group = Some(group);
                self.steps[index] = State::Running(Box::new(running));
            }
            Err(error) => {
                self.report.event(&Event::Output { step: &step.name, line: &format!("{error:#}") });
                self.steps[index] = State::Running(Box::new(running));
                self.ended(index, COMMAND_NOT_FOUND);
            }
        }
    }

    fn printed(&mut self, index: usize, line: &str) {
        let State::Running(running) = &mut self.steps[index] else { return };
        if let Some(progress) = &mut running.progress {
            progress.line(line);
        }
        let tell = &mut |event: &Event<'_>| self.report.event(event);
        match (&mut running.vertices, &mut running.crates) {
            (Some(vertices), _) => vertices.line(line, tell),
            (None, Some(crates)) => crates.line(line, running.began.elapsed().as_secs_f64(), tell),
            (None, None) => tell(&Event::Output { step: &self.plan.steps[index].name, line }),
        }
        if !running.is_built && running.crates.as_ref().is_some_and(|crates| crates.is_built()) {
            self.built(index);
        }
    }

    /// The cargo of a step has built all: its folder and its job are free for the next one, while its tests run.
    fn built(&mut self, index: usize) {
        let State::Running(running) = &mut self.steps[index] else { return };
        running.is_built = true;
        if let Some(progress) = &mut running.progress {
            progress.begin();
        }
        if let Some(slot) = running.slot.take() {
            self.budget.give_back(slot);
        }
    }
}
