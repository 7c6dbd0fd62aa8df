//! What is known of a run, as the page gets it. All times are in seconds since the run began.

use std::collections::HashMap;

use serde::Serialize;

use super::cpu::Usage;
use crate::plan::Plan;
use crate::report::{CrateFinished, Event, Outcome};

/// How much of a command is shown, in characters: what a step reads from standard input may be long.
const MAX_COMMAND: usize = 2000;
/// What cargo says when another one has the folder that it needs.
const BLOCKED: &str = "waiting for file lock on";

/// A run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Run {
    task: String,
    /// As RFC 3339 writes it, in UTC.
    date: String,
    /// When the steps could begin; before, another run held the lock.
    begun: f64,
    seconds: f64,
    exit_code: Option<u8>,
    /// The step that failed.
    failed: Option<String>,
    /// What was wrong besides.
    error: Option<String>,
    steps: Vec<Step>,
    pub(super) cpu: Option<Usage>,
    /// The commands of vertices that have begun.
    #[serde(skip)]
    vertices: HashMap<String, String>,
}

#[derive(Debug, Default, Serialize)]
struct Step {
    name: String,
    why: String,
    command: String,
    needs: Vec<String>,
    background: bool,
    /// Why it was passed over.
    skipped: Option<String>,
    started: Option<f64>,
    finished: Option<f64>,
    outcome: Option<Outcome>,
    /// When cargo waited for another cargo.
    blocked: Vec<[f64; 2]>,
    /// Crates that were there already.
    fresh: usize,
    /// Vertices that were.
    cached: usize,
    parts: Vec<Part>,
    /// Since when it waits for another cargo.
    #[serde(skip)]
    is_blocked: Option<f64>,
}

/// A crate, or a vertex.
#[derive(Debug, Serialize)]
struct Part {
    name: String,
    /// A crate's, as cargo calls it, with ` test` for one that is compiled as a test; or `vertex`.
    kind: String,
    started: f64,
    finished: f64,
    outcome: Outcome,
    /// A vertex's instruction.
    #[serde(skip_serializing_if = "String::is_empty")]
    command: String,
}

impl Run {
    /// The run of `task` begins at `date`.
    pub(super) fn new(task: &str, date: &str) -> Run {
        Run { task: task.to_owned(), date: date.to_owned(), ..Run::default() }
    }

    /// What the page is called.
    pub(super) fn title(&self) -> String {
        format!("cargo xtask {}, {}", self.task, self.date)
    }

    /// The steps of `plan` may begin `now`.
    pub(super) fn begin(&mut self, plan: &Plan, now: f64) {
        self.begun = millis(now);
        self.steps = plan
            .steps
            .iter()
            .map(|step| Step {
                name: step.name.clone(),
                why: step.why.clone(),
                command: shortened(&step.to_string()),
                needs: step.needs.clone(),
                background: step.background,
                ..Step::default()
            })
            .collect();
    }

    /// Takes an event that happened `now`.
    pub(super) fn take(&mut self, event: &Event<'_>, now: f64) {
        let now = millis(now);
        match event {
            Event::StepStarted { step, part_of: None, .. } => {
                self.with(step, |step| step.started = Some(now))
            }
            Event::StepStarted { step, command, part_of: Some(_), .. } => {
                self.vertices.insert((*step).to_owned(), shortened(command));
            }
            Event::StepSkipped { step, reason, .. } => {
                self.with(step, |step| step.skipped = Some((*reason).to_owned()));
            }
            Event::Output { step, line } => self.with(step, |step| step.printed(line, now)),
            Event::Crate(unit) => self.with(unit.step, |step| step.compiled(unit, now)),
            Event::StepFinished { step, outcome, part_of: None, .. } => {
                self.with(step, |step| step.finish(*outcome, now));
            }
            Event::StepFinished { step: vertex, outcome, seconds, part_of: Some(whole), .. } => {
                let command = self.vertices.remove(*vertex).unwrap_or_default();
                self.with(whole, |step| step.made(vertex, *outcome, *seconds, command, now));
            }
            Event::Error { message } => self.error = Some(message.clone()),
            Event::Finished { exit_code, failed, .. } => {
                self.exit_code = Some(*exit_code);
                self.failed = failed.map(str::to_owned);
            }
            _ => {}
        }
    }

    /// The run is over `now`, whatever still ran.
    pub(super) fn end(&mut self, now: f64) {
        self.seconds = millis(now);
        for step in self.steps.iter_mut().filter(|step| step.started.is_some() && step.finished.is_none()) {
            step.finish(Outcome::Cancelled, self.seconds);
        }
    }

    fn with(&mut self, name: &str, change: impl FnOnce(&mut Step)) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.name == name) {
            change(step);
        }
    }
}

impl Step {
    fn finish(&mut self, outcome: Outcome, now: f64) {
        self.unblock(now);
        self.finished = Some(now);
        self.outcome = Some(outcome);
    }

    fn printed(&mut self, line: &str, now: f64) {
        self.unblock(now);
        if line.contains(BLOCKED) {
            self.is_blocked = Some(now);
        }
    }

    /// Cargo says nothing when it has the folder, but goes on.
    fn unblock(&mut self, now: f64) {
        self.blocked.extend(self.is_blocked.take().map(|since| [since, now]));
    }

    fn compiled(&mut self, unit: &CrateFinished<'_>, now: f64) {
        self.unblock(now);
        if unit.fresh {
            self.fresh += 1;
            return;
        }
        let began = self.started.unwrap_or_default();
        let kind = unit.kind.unwrap_or("crate");
        self.parts.push(Part {
            name: name(unit),
            kind: if unit.test && kind != "test" { format!("{kind} test") } else { kind.to_owned() },
            started: millis(began + unit.started),
            finished: millis(began + unit.finished),
            outcome: unit.outcome,
            command: String::new(),
        });
    }

    fn made(&mut self, vertex: &str, outcome: Outcome, seconds: f64, command: String, now: f64) {
        if outcome == Outcome::Cached {
            self.cached += 1;
            return;
        }
        let name = vertex.strip_prefix(&format!("{}: ", self.name)).unwrap_or(vertex).to_owned();
        // BuildKit's clock tells how long; when is known from when it was told here.
        let started = millis((now - seconds).max(self.started.unwrap_or_default()));
        self.parts.push(Part { name, kind: "vertex".to_owned(), started, finished: now, outcome, command });
    }
}

/// The package with its version, and the target where its name says more.
fn name(unit: &CrateFinished<'_>) -> String {
    let CrateFinished { package, version, .. } = unit;
    let says_more = |target: &&str| *target != *package && target.replace('_', "-") != *package;
    let is_named = |target: &&str| !target.starts_with("build-script-") && says_more(target);
    let target = unit.target.filter(is_named).map(|target| format!(" {target}")).unwrap_or_default();
    format!("{package} {version}{target}")
}

fn shortened(command: &str) -> String {
    match command.char_indices().nth(MAX_COMMAND) {
        None => command.to_owned(),
        Some((end, _)) => format!("{}…", &command[..end]),
    }
}

/// More digits would only be noise, and make the page longer.
fn millis(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
