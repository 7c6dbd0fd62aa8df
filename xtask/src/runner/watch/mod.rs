//! `watch`: looks for changes, and runs stage after stage, then the service, until it is asked to stop.
//!
//! Idle, that takes 0.3 % of one core for the 470 files of this repository, and never much more than 1 %: the more there
//! is to look at, the rarer are the looks.

mod changes;
mod cycle;
mod files;
mod service;
mod task;

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{BACKLOG, Message, forward_signals};
use crate::plan::{Step, Watch};
use crate::platform::{self, Firmness};
use crate::report::{Event, Outcome, Report};
use changes::Changes;
use cycle::{Action, Cycle, Input};
use files::Files;
use service::{Said, Serving};
use task::{Output, Spawner, Task, Way};

/// Between two looks at the files.
const PAUSE: Duration = Duration::from_millis(400);
/// The same while something is being written.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
/// The longest time between two looks, however long one takes.
const LONG_PAUSE: Duration = Duration::from_secs(5);
/// How long a stage has before it is asked more firmly. It is a run of its own, and gives its steps five seconds.
const PATIENCE: [(Firmness, Duration); 3] = [
    (Firmness::Interrupt, Duration::from_secs(6)),
    (Firmness::Terminate, Duration::from_secs(3)),
    (Firmness::Kill, Duration::from_secs(3)),
];
/// What plans depend on: where one of these has changed, another plan is made.
const PLANNED_FROM: [&str; 2] = ["Cargo.toml", "config/pipeline.toml"];

/// Runs `watch` until a signal comes. `again` plans it anew.
///
/// # Errors
/// When it cannot begin.
pub(crate) fn run(watch: Watch, again: &dyn Fn() -> Result<Watch>, report: &mut Report) -> Result<ExitCode> {
    let began = Instant::now();
    let (sender, receiver) = sync_channel(BACKLOG);
    forward_signals(sender.clone())?;
    std::env::set_current_dir(&watch.cwd).with_context(|| format!("cannot enter {}", watch.cwd.display()))?;
    let spawner = Spawner::new(&watch.cwd, sender)?;
    report.begin(&watch.plan());
    let files = Files::new(&watch.cwd, began);
    let remark = if watch.service.is_none() { "; the service is not run" } else { "" };
    let message = format!("watching {} files until Ctrl-C{remark}", files.count());
    report.event(&Event::Note { message });
    let mut session = Session {
        cycle: Cycle::new(watch.stages.len()),
        watch,
        again,
        report,
        spawner,
        files,
        changes: Changes::default(),
        next_look: began + PAUSE,
        stage: None,
        began,
        serving: Serving::default(),
        exit_code: None,
    };
    let exit_code = session.run(&receiver);
    report.event(&Event::Finished {
        exit_code,
        seconds: began.elapsed().as_secs_f64(),
        failed: None,
        failures: &[],
    });
    Ok(ExitCode::from(exit_code))
}

/// The state of a watch.
struct Session<'r> {
    watch: Watch,
    again: &'r dyn Fn() -> Result<Watch>,
    report: &'r mut Report,
    spawner: Spawner,
    files: Files,
    changes: Changes,
    next_look: Instant,
    cycle: Cycle,
    stage: Option<Task>,
    /// When the first stage of this cycle did.
    began: Instant,
    serving: Serving,
    /// Set when all has to end.
    exit_code: Option<u8>,
}

impl Session<'_> {
    fn run(&mut self, messages: &Receiver<Message>) -> u8 {
        self.feed(Input::Due);
        loop {
            match self.exit_code {
                Some(code) if self.cycle.is_over() && self.serving.is_over() => return code,
                _ => {}
            }
            let wait = self.deadline().saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(Message::Line { index, text }) if self.serving.is_of(index) => {
                    self.report.event(&Event::Output { step: "run", line: &text });
                }
                Ok(Message::Ended { index, exit_code }) => self.ended(index, exit_code),
                Ok(Message::Signal(signal)) => self.signalled(signal),
                // Nothing else is sent, and the spawner holds a sender itself.
                Ok(_) | Err(_) => {}
            }
            self.tick(Instant::now());
        }
    }

    /// When something is to be done, whatever happens until then.
    fn deadline(&self) -> Instant {
        let look = self.exit_code.is_none().then_some(self.next_look);
        let stage = self.stage.as_ref().and_then(Task::deadline);
        let due = [look, stage, self.serving.deadline()].into_iter().flatten().min();
        due.unwrap_or_else(|| Instant::now() + LONG_PAUSE)
    }

    fn tick(&mut self, now: Instant) {
        if let Some(stage) = &mut self.stage {
            stage.tick(&mut self.spawner, now);
        }
        self.serving.tick(&mut self.spawner, now);
        if self.exit_code.is_none() && self.next_look <= now {
            self.look(now);
        }
    }

    fn look(&mut self, now: Instant) {
        let changes = self.files.look(now);
        self.changes.add(changes, now);
        let pause = if self.changes.are_settling() { SHORT_PAUSE } else { PAUSE };
        self.next_look = Instant::now() + pause.max(now.elapsed() * 100).min(LONG_PAUSE);
        let Some(paths) = self.changes.take(now) else { return };
        let names = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>();
        self.report.event(&Event::Changed { paths: &names });
        if paths.iter().any(|path| PLANNED_FROM.iter().any(|name| path.as_os_str() == *name)) {
            match (self.again)() {
                Ok(watch) => self.watch = watch,
                // The stages would say no more than this.
                Err(error) => return self.report.error(&error),
            }
        }
        self.feed(Input::Due);
    }

    /// Process `index` is gone.
    fn ended(&mut self, index: usize, exit_code: u8) {
        let now = Instant::now();
        self.spawner.ended(index);
        let stage = self.stage.as_mut().and_then(|stage| stage.ended(index, exit_code, now));
        if let Some(exit_code) = stage {
            self.stage = None;
            self.feed(Input::Ended(exit_code));
        }
        let said = self.serving.ended(index, exit_code, &mut self.spawner, now);
        self.say(said);
    }

    fn signalled(&mut self, signal: i32) {
        let now = Instant::now();
        if self.exit_code.is_some() {
            self.serving.insist(&mut self.spawner, now);
            if let Some(stage) = &mut self.stage {
                stage.insist(&mut self.spawner, now);
            }
            return;
        }
        self.exit_code = Some(platform::by_signal(signal));
        if !self.serving.is_over() {
            self.note("ending the service; once more to kill it".to_owned());
        }
        self.serving.end(&mut self.spawner, now);
        self.feed(Input::Quit);
    }

    /// Has the cycle say what comes next, and does that.
    fn feed(&mut self, input: Input) {
        let now = Instant::now();
        match self.cycle.next(input) {
            Action::Start(stage) => self.start(stage),
            Action::Cancel => {
                if let Some(stage) = &mut self.stage {
                    stage.end(&mut self.spawner, now);
                }
                self.finished(Outcome::Cancelled, None);
            }
            Action::Serve => {
                self.finished(Outcome::Done, None);
                if let Some(service) = &self.watch.service {
                    let said = self.serving.renew(service, &mut self.spawner, now);
                    self.say(said);
                }
            }
            Action::GiveUp(stage) => self.finished(Outcome::Failed, Some(stage)),
            Action::Wait => {}
        }
    }

    fn start(&mut self, stage: usize) {
        if stage == 0 {
            self.began = Instant::now();
        }
        let step = &self.watch.stages[stage];
        let Step { name, why, .. } = step;
        self.report.event(&Event::StageStarted { stage: name, why, command: step.to_string() });
        let ways = PATIENCE.map(|(firmness, patience)| (Way::Signal(firmness), patience)).into();
        match Task::start(&mut self.spawner, step, Output::Inherited, ways) {
            Ok(task) => self.stage = Some(task),
            Err(error) => {
                self.report.error(&error);
                self.feed(Input::Ended(1));
            }
        }
    }

    fn finished(&mut self, outcome: Outcome, stage: Option<usize>) {
        let stage = stage.map(|stage| &*self.watch.stages[stage].name);
        let seconds = self.began.elapsed().as_secs_f64();
        self.report.event(&Event::CycleFinished { outcome, stage, seconds });
    }

    fn say(&mut self, said: Option<Said>) {
        let urls = || self.watch.service.iter().flat_map(|service| &service.urls).cloned();
        match said {
            None => {}
            Some(Said::Started) => self.note(format!("started: {}", urls().collect::<Vec<_>>().join(" "))),
            Some(Said::Same) => self.note("the image is as it was, so the service runs on".to_owned()),
            Some(Said::Failed(error)) => self.error(error),
            Some(Said::Ended(code)) => {
                self.error(format!(
                    "the service ended with exit code {code}; the next change starts it again"
                ));
            }
        }
    }

    fn note(&mut self, message: String) {
        self.report.event(&Event::Note { message });
    }

    fn error(&mut self, message: String) {
        self.report.event(&Event::Error { message });
    }
}
