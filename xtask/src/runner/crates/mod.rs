//! Cargo's messages as events: each unit that a cargo compiles is a crate within its step.
//!
//! What a step prints with `--message-format=json-render-diagnostics` goes in line by line, with the time; nothing here
//! reads or starts anything.
//!
//! When a unit ended is exact, but for the time that its message takes to come here. When it began is exact for the first
//! that is compiled of each package, since cargo says so on standard error. Cargo says nothing of the others, such as the
//! library after its build script, or the tests: what is told of them is an estimate, that they began as soon as those of
//! their own package that they need had ended, and there was a [slot](slots). Units of other packages, which they may
//! have waited for, are not known here. So an estimate is early rather than late.

mod message;
mod slots;
mod status;
#[cfg(test)] // template: if pipeline_tests
mod tests; // template: if pipeline_tests

use std::borrow::Cow;
use std::collections::HashMap;

use super::process::MAX_LINE;
use crate::report::{CrateFinished, Event, Outcome};
use message::{Found, Message};
use slots::Slots;
use status::Status;

/// What takes the events.
type Tell<'a> = &'a mut dyn FnMut(&Event<'_>);

/// How much of a message is waited for, in bytes.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// The kind of a build script that runs, as cargo's unit graph calls it.
const RUN: &str = "run-custom-build";

/// The crates of one step.
pub(super) struct Crates {
    /// The step's name.
    step: String,
    slots: Slots,
    /// By name and version.
    packages: HashMap<(String, String), Package>,
    /// The beginning of a message that was split as too long.
    part: String,
    /// The beginning of a line that a message came into.
    torn: String,
    /// Whether all could be compiled, once nothing more is.
    success: Option<bool>,
}

/// A package, as far as its units have told. Times are in seconds since the step began.
#[derive(Default)]
struct Package {
    /// When cargo said that it begins; none for one that is there already.
    began: Option<f64>,
    /// Whether the unit that began then has ended.
    is_first_over: bool,
    /// When the last unit of each kind ended.
    ended: HashMap<String, f64>,
}

/// A unit that has ended.
struct Unit<'a> {
    package: &'a str,
    version: &'a str,
    target: &'a str,
    kind: &'a str,
    test: bool,
    fresh: bool,
    outcome: Outcome,
}

impl Crates {
    /// No crates yet, of the plan's step `step`, whose cargo has `jobs` jobs.
    pub(super) fn new(step: &str, jobs: usize) -> Crates {
        Crates {
            step: step.to_owned(),
            slots: Slots::new(jobs),
            packages: HashMap::new(),
            part: String::new(),
            torn: String::new(),
            success: None,
        }
    }

    /// Whether nothing more is compiled: what the step does from now on is to run what was, such as tests.
    pub(super) fn is_built(&self) -> bool {
        self.success.is_some()
    }

    /// Takes a line that the step printed `now`, in seconds since it began. One that is no message is shown as it is.
    pub(super) fn line(&mut self, line: &str, now: f64, tell: Tell<'_>) {
        // What a test prints may look like a message.
        if self.is_built() {
            return self.show(line, tell);
        }
        let part = std::mem::take(&mut self.part);
        let text = if part.is_empty() { Cow::Borrowed(line) } else { Cow::Owned(part + line) };
        match message::find(&text) {
            Found::Message(message) => self.take(&message, now, tell),
            Found::Part if line.len() as u64 >= MAX_LINE && text.len() < MAX_MESSAGE => {
                self.part = text.into_owned();
            }
            Found::Part | Found::Text => self.take_text(&text, now, tell),
        }
    }

    fn take_text(&mut self, text: &str, now: f64, tell: Tell<'_>) {
        if let Some((head, message)) = message::within(text) {
            self.torn += head;
            return self.take(&message, now, tell);
        }
        let text = std::mem::take(&mut self.torn) + text;
        self.show(&text, tell);
        self.take_status(&text, now, tell);
    }

    /// The step is over at `now`: what had begun and did not end was cancelled.
    pub(super) fn end(&mut self, now: f64, tell: Tell<'_>) {
        let rest = std::mem::take(&mut self.torn) + &std::mem::take(&mut self.part);
        if !rest.is_empty() {
            self.show(&rest, tell);
        }
        if self.success == Some(true) {
            return;
        }
        let open = self.packages.iter().filter(|(_, package)| !package.is_first_over);
        let mut open = open.filter_map(|(id, package)| Some((id, package.began?))).collect::<Vec<_>>();
        open.sort_by(|(a, began), (b, also)| began.total_cmp(also).then_with(|| a.cmp(b)));
        for ((package, version), started) in open {
            let (step, outcome) = (self.step.as_str(), Outcome::Cancelled);
            tell(&Event::Crate(CrateFinished {
                step,
                package,
                version,
                target: None,
                kind: None,
                test: false,
                started,
                finished: now,
                fresh: false,
                outcome,
            }));
        }
    }

    fn take(&mut self, message: &Message, now: f64, tell: Tell<'_>) {
        match message {
            Message::CompilerArtifact { package_id, target, profile, fresh } => {
                let (package, version) = message::package(package_id);
                let (kind, test) = (target.kind.first().map_or("", String::as_str), profile.test);
                let (target, fresh, outcome) = (target.name.as_str(), *fresh, Outcome::Done);
                self.ended(&Unit { package, version, target, kind, test, fresh, outcome }, now, tell);
            }
            Message::BuildScriptExecuted { package_id } => {
                let (package, version) = message::package(package_id);
                // The message does not say whether it ran now; if it did, cargo has named the package.
                let fresh = self.package(package, version).began.is_none();
                let (target, kind, test, outcome) = ("build-script-build", RUN, false, Outcome::Done);
                self.ended(&Unit { package, version, target, kind, test, fresh, outcome }, now, tell);
            }
            Message::BuildFinished { success } => self.success = Some(*success),
            Message::Other => {}
        }
    }

    fn take_status(&mut self, line: &str, now: f64, tell: Tell<'_>) {
        match Status::parse(&status::without_colours(line)) {
            None => {}
            Some(Status::Begins { package, version }) => {
                self.slots.take();
                self.package(package, version).began.get_or_insert(now);
            }
            Some(Status::Failed { package, target, kind, test }) => {
                let begun = self
                    .packages
                    .iter()
                    .filter(|((name, _), state)| name == package && state.began.is_some());
                let Some(version) = begun.map(|((_, version), _)| version.clone()).max() else { return };
                let library = if kind.ends_with("custom-build") {
                    "build-script-build".to_owned()
                } else {
                    package.replace('-', "_")
                };
                let (target, fresh, outcome) = (target.unwrap_or(&library), false, Outcome::Failed);
                self.ended(
                    &Unit { package, version: &version, target, kind, test, fresh, outcome },
                    now,
                    tell,
                );
            }
        }
    }

    fn ended(&mut self, unit: &Unit<'_>, now: f64, tell: Tell<'_>) {
        let Unit { package, version, target, kind, test, fresh, outcome } = *unit;
        let state = self.packages.entry((package.to_owned(), version.to_owned())).or_default();
        let started = if fresh {
            now
        } else {
            let is_first = state.began.is_some() && !std::mem::replace(&mut state.is_first_over, true);
            let ready = state.ready(kind);
            let started = if is_first { ready } else { self.slots.take_since(ready) };
            self.slots.give_back(now);
            started
        };
        // Nothing needs a library or program that is compiled as a test.
        if !test {
            state.ended.insert(depended_on_as(kind).to_owned(), now);
        }
        let (step, target, kind) = (self.step.as_str(), Some(target), Some(kind));
        let finished = now;
        tell(&Event::Crate(CrateFinished {
            step,
            package,
            version,
            target,
            kind,
            test,
            started,
            finished,
            fresh,
            outcome,
        }));
    }

    fn package(&mut self, name: &str, version: &str) -> &mut Package {
        self.packages.entry((name.to_owned(), version.to_owned())).or_default()
    }

    fn show(&self, line: &str, tell: Tell<'_>) {
        tell(&Event::Output { step: &self.step, line });
    }
}

impl Package {
    /// From when on a unit could be compiled, as far as it depends on others of its package.
    fn ready(&self, kind: &str) -> f64 {
        let needs: &[&str] = match kind {
            "custom-build" => &[],
            RUN => &["custom-build"],
            "test" | "bench" => &[RUN, "lib", "bin"],
            "bin" | "example" => &[RUN, "lib"],
            _ => &[RUN],
        };
        let ended = needs.iter().filter_map(|kind| self.ended.get(*kind));
        ended.copied().chain(self.began).fold(0.0, f64::max)
    }
}

/// Libraries have kinds of many names.
fn depended_on_as(kind: &str) -> &str {
    if ["custom-build", RUN, "bin", "example", "test", "bench"].contains(&kind) { kind } else { "lib" }
}
