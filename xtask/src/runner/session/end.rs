//! How steps end, by themselves or because the run has to stop.

use super::{Failure, Session, State};
use crate::plan::Step;
use crate::platform::{self, Firmness};
use crate::report::{Event, Outcome};
use crate::runner::running::Running;

/// The exit code of a step whose tests hang: that of timeout(1).
const TIMED_OUT: u8 = 124;

impl<'p> Session<'p, '_> {
    pub(super) fn ended(&mut self, index: usize, exit_code: u8) {
        let State::Running(mut running) = std::mem::replace(&mut self.steps[index], State::Over) else {
            return;
        };
        let step = &self.plan.steps[index];
        if let Some(group) = &running.group {
            if running.is_asked() {
                // What the step left behind had its chance to end by itself.
                running.signal(Firmness::Kill);
            }
            self.watchdog.release(group);
        }
        if let Some(slot) = running.slot.take() {
            self.budget.give_back(slot);
        }
        if let Some(vertices) = &mut running.vertices {
            vertices.end(&mut |event| self.report.event(event));
        }
        let seconds = running.began.elapsed().as_secs_f64();
        if let Some(crates) = &mut running.crates {
            crates.end(seconds, &mut |event| self.report.event(event));
        }
        let hangs = running.is_asked() && !self.is_stopping;
        let exit_code = if hangs { TIMED_OUT } else { exit_code };
        let outcome = match exit_code {
            0 if running.changed_nothing(step, &self.plan.cwd) => Outcome::Cached,
            0 => Outcome::Done,
            _ if self.is_stopping => Outcome::Cancelled,
            _ => Outcome::Failed,
        };
        self.report.event(&Event::StepFinished {
            step: &step.name,
            outcome,
            exit_code,
            seconds,
            part_of: None,
        });
        if exit_code == 0 {
            self.steps[index] = State::Succeeded;
            self.end.succeeded.push(step);
        }
        if outcome == Outcome::Failed {
            self.failed(step, exit_code);
        }
    }

    fn failed(&mut self, step: &'p Step, exit_code: u8) {
        let repeat = match self.plan.repeat {
            Some(command) => format!("{command} {}", step.name),
            None => step.command_line(),
        };
        self.end.failures.push(Failure { step: &step.name, exit_code, repeat });
        let exit_code = self.end.failures[0].exit_code;
        if self.plan.keep_going {
            self.end.exit_code = exit_code;
            self.give_up_on(&step.name);
        } else {
            self.stop(exit_code);
        }
    }

    /// Gives up on the steps that need the one named `failed`, and those that need them.
    fn give_up_on(&mut self, failed: &str) {
        let plan = self.plan;
        for (index, step) in plan.steps.iter().enumerate() {
            if matches!(self.steps[index], State::Waiting) && step.needs.iter().any(|need| need == failed) {
                self.tell_skipped(step, &format!("it needs `{failed}`"));
                self.steps[index] = State::Over;
                self.give_up_on(&step.name);
            }
        }
    }

    pub(super) fn signalled(&mut self, signal: i32) {
        if self.is_stopping {
            return self.running_mut().for_each(|(_, running)| running.kill());
        }
        self.report.event(&Event::Note { message: "stopping; once more to kill".to_owned() });
        self.stop(platform::by_signal(signal));
    }

    /// Starts nothing more and asks what runs to end.
    fn stop(&mut self, exit_code: u8) {
        self.end.exit_code = exit_code;
        self.is_stopping = true;
        self.running_mut().for_each(|(_, running)| running.ask());
    }

    /// Asks those more firmly that had time to end, and those for the first time whose tests hang.
    pub(super) fn insist(&mut self) {
        let plan = self.plan;
        let mut hanging = Vec::new();
        for (index, running) in self.running_mut() {
            if running.patience().is_some_and(|patience| patience.is_zero()) {
                if let (Some(progress), false) = (&running.progress, running.is_asked()) {
                    hanging.push((index, progress.verdict(&plan.cwd)));
                }
                running.ask();
            }
        }
        for (index, line) in hanging {
            self.report.event(&Event::Output { step: &plan.steps[index].name, line: &line });
        }
    }

    fn running_mut(&mut self) -> impl Iterator<Item = (usize, &mut Running)> {
        self.steps.iter_mut().enumerate().filter_map(|(index, state)| match state {
            State::Running(running) => Some((index, running.as_mut())),
            _ => None,
        })
    }
}
