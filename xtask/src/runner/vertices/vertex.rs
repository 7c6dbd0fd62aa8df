//! One vertex of a build: when it worked, how that ended and what it printed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::name::Name;
use super::status::VertexStatus;
use crate::report::Outcome;

/// How much output without a line end is waited for, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// A vertex.
pub(super) struct Vertex {
    /// Its step's name; the plan's step's for one that is not shown.
    pub(super) step: String,
    /// The instruction in full.
    pub(super) command: String,
    /// The instruction, as much of it as tells what it is for.
    pub(super) why: String,
    /// How far it has been reported.
    pub(super) told: Told,
    /// Whether it begins more than once: BuildKit first resolves what is made from nothing, such as an image or the
    /// build context, and fetches it when it is needed, if it ever is.
    pub(super) is_source: bool,
    /// Whether it is the build context, which is fetched before anything made from it can even be looked up.
    pub(super) is_context: bool,
    /// When it began and ended, by the name that it was reported with: each target of a bake reports the vertices that it
    /// shares with others, with a clock of its own.
    intervals: BTreeMap<String, Intervals>,
    is_cached: bool,
    error: String,
    /// What it printed since the last line end.
    line: Vec<u8>,
}

/// When a vertex began, and when it ended that time.
type Intervals = BTreeMap<SystemTime, Option<SystemTime>>;

/// How far a vertex has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Never, since BuildKit does it for itself.
    Hidden,
    /// Not yet.
    Nothing,
    /// That it started.
    Started,
    /// That it finished.
    Finished,
}

/// What is to be reported of a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// That it started.
    Started,
    /// That it finished.
    Finished,
}

impl Vertex {
    /// The vertex of `status`, the first that is heard of it, with its name as a step.
    pub(super) fn new(status: &VertexStatus, step: String) -> Vertex {
        let name = Name::parse(&status.name);
        Vertex {
            step,
            command: name.instruction.to_owned(),
            why: name.why(),
            told: if name.is_internal() { Told::Hidden } else { Told::Nothing },
            // Work that is no part of the build graph, such as exports, is not known before it starts.
            is_source: status.inputs.is_empty() && status.started.is_none(),
            is_context: name.is_context(),
            intervals: BTreeMap::new(),
            is_cached: false,
            error: String::new(),
            line: Vec::new(),
        }
    }

    /// A vertex that only its output is known of, which is shown as that of `step`.
    pub(super) fn unknown(step: String) -> Vertex {
        let status = VertexStatus::default();
        Vertex { told: Told::Hidden, ..Vertex::new(&status, step) }
    }

    /// Takes what is new.
    pub(super) fn update(&mut self, status: &VertexStatus) -> Change {
        let Some(started) = status.started else { return Change::None };
        if matches!(self.told, Told::Hidden | Told::Finished) {
            return Change::None;
        }
        let intervals = self.intervals.entry(status.name.clone()).or_default();
        intervals.insert(started, status.completed);
        let is_at_work = !self.is_source || intervals.len() > 1;
        self.is_cached = status.cached;
        self.error.clone_from(&status.error);
        let is_over = !self.is_source || self.is_cached || !self.error.is_empty();
        if status.completed.is_some() {
            return if is_over { Change::Finished } else { Change::None };
        }
        let is_news = self.told == Told::Nothing && is_at_work && !self.is_cached;
        if is_news { Change::Started } else { Change::None }
    }

    /// Whether it has begun and its end has not been told.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.told, Told::Nothing | Told::Started) && !self.intervals.is_empty()
    }

    /// Whether it ended the last time that it began.
    pub(super) fn is_complete(&self) -> bool {
        self.intervals().is_some_and(has_ended)
    }

    /// How it ended; what began and did not end was cancelled.
    pub(super) fn outcome(&self) -> Outcome {
        // A source that was resolved and never fetched was not needed.
        let is_only_resolved = self.is_source && self.intervals().is_some_and(|all| all.len() == 1);
        match self.error.as_str() {
            "" if !self.is_complete() => Outcome::Cancelled,
            "" if self.is_cached || is_only_resolved => Outcome::Cached,
            "" => Outcome::Done,
            // As Go and gRPC end such an error; what comes before quotes the instruction.
            error if error.ends_with("context canceled") => Outcome::Cancelled,
            _ => Outcome::Failed,
        }
    }

    /// The exit code of its process, or 1 where it failed otherwise.
    pub(super) fn exit_code(&self) -> u8 {
        if matches!(self.outcome(), Outcome::Done | Outcome::Cached) {
            return 0;
        }
        let after = self.error.rsplit_once("exit code: ").map_or("", |(_, after)| after);
        let digits = after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse().unwrap_or(1).max(1)
    }

    /// How long it worked in all, in seconds; what did not end lasts until `now`.
    pub(super) fn seconds(&self, now: Option<SystemTime>) -> f64 {
        let length = |began: SystemTime, ended: Option<SystemTime>| {
            ended.or(now).and_then(|ended| ended.duration_since(began).ok()).unwrap_or_default()
        };
        let all = self.intervals().into_iter().flatten();
        all.map(|(began, ended)| length(*began, *ended)).sum::<Duration>().as_secs_f64()
    }

    /// As the target tells that has told most: the others may not have reported everything yet.
    fn intervals(&self) -> Option<&Intervals> {
        self.intervals.values().max_by_key(|intervals| (intervals.len(), has_ended(intervals)))
    }

    /// Takes output, and gives back the lines that are complete.
    pub(super) fn output(&mut self, data: &[u8]) -> Vec<String> {
        self.line.extend_from_slice(data);
        let mut lines = Vec::new();
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line = self.line.drain(..=end).collect::<Vec<_>>();
            lines.push(text(&line));
        }
        if self.line.len() > MAX_LINE {
            lines.extend(self.rest());
        }
        lines
    }

    /// What it printed after the last line end, if anything.
    pub(super) fn rest(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        (!line.is_empty()).then(|| text(&line))
    }
}

fn has_ended(intervals: &Intervals) -> bool {
    intervals.values().next_back().is_some_and(Option::is_some)
}

/// A line without its end.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}
