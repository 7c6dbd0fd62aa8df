//! BuildKit's progress as events: each vertex of a build is a step within the plan's.
//!
//! What a step prints with `--progress rawjson` goes in line by line; nothing here reads or starts anything.

mod name;
mod status;
#[cfg(test)] // template: if pipeline_tests
mod tests; // template: if pipeline_tests
mod vertex;

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use crate::report::{Event, Outcome};
use name::Name;
use status::{Found, Objects, SolveStatus, VertexStatus};
use vertex::{Change, Told, Vertex};

/// What takes the events.
type Tell<'a> = &'a mut dyn FnMut(&Event<'_>);

/// The vertices of one step.
pub(super) struct Vertices {
    /// The step's name.
    step: String,
    objects: Objects,
    /// In the order in which they became known.
    vertices: Vec<Vertex>,
    by_digest: HashMap<String, usize>,
    /// The names of steps that are taken.
    names: BTreeSet<String>,
    /// The warnings that were shown; each target of a bake repeats them.
    warnings: BTreeSet<String>,
    /// The latest time that a vertex told.
    now: Option<SystemTime>,
}

impl Vertices {
    /// No vertices yet, of the plan's step `step`.
    pub(super) fn new(step: &str) -> Vertices {
        Vertices {
            step: step.to_owned(),
            objects: Objects::default(),
            vertices: Vec::new(),
            by_digest: HashMap::new(),
            names: BTreeSet::new(),
            warnings: BTreeSet::new(),
            now: None,
        }
    }

    /// Takes a line that the step printed. One that is no progress is shown as it is.
    pub(super) fn line(&mut self, line: &str, tell: Tell<'_>) {
        match self.objects.line(line) {
            Found::Part => {}
            Found::Object(status) => self.take(&status, tell),
            Found::Text(lines) => self.show(&lines, tell),
        }
    }

    /// The step is over: so is every vertex that had begun.
    pub(super) fn end(&mut self, tell: Tell<'_>) {
        let lines = self.objects.rest();
        self.show(&lines, tell);
        for index in 0..self.vertices.len() {
            self.finish(index, tell);
            if let Some(line) = self.vertices[index].rest() {
                tell(&Event::Output { step: &self.vertices[index].step, line: &line });
            }
        }
    }

    fn take(&mut self, status: &SolveStatus, tell: Tell<'_>) {
        for vertex in &status.vertexes {
            self.update(vertex, tell);
        }
        for log in &status.logs {
            let index = self.by_digest.get(&log.vertex).copied().unwrap_or_else(|| {
                let vertex = Vertex::unknown(self.step.clone());
                self.add(&log.vertex, vertex)
            });
            self.start(index, tell);
            let lines = self.vertices[index].output(&log.data);
            lines.iter().for_each(|line| tell(&Event::Output { step: &self.vertices[index].step, line }));
        }
        for warning in &status.warnings {
            let url = if warning.url.is_empty() { String::new() } else { format!(" ({})", warning.url) };
            let line = format!("warning: {}{url}", String::from_utf8_lossy(&warning.short));
            if self.warnings.insert(line.clone()) {
                self.show(&[line], tell);
            }
        }
    }

    fn update(&mut self, status: &VertexStatus, tell: Tell<'_>) {
        let index = self.by_digest.get(&status.digest).copied().unwrap_or_else(|| {
            let step = self.name(&status.name);
            self.add(&status.digest, Vertex::new(status, step))
        });
        self.now = self.now.max(status.started).max(status.completed);
        if status.started.is_some() {
            self.finish_sources(status, tell);
        }
        match self.vertices[index].update(status) {
            Change::None => {}
            Change::Started => self.start(index, tell),
            Change::Finished => self.finish(index, tell),
        }
    }

    /// What a vertex at work is made from has been fetched; where it is cached, that may still come for another's sake.
    fn finish_sources(&mut self, user: &VertexStatus, tell: Tell<'_>) {
        for input in &user.inputs {
            let Some(index) = self.by_digest.get(input).copied() else { continue };
            let Vertex { is_source, is_context, .. } = self.vertices[index];
            if is_source && (is_context || !user.cached) && self.vertices[index].is_complete() {
                self.finish(index, tell);
            }
        }
    }

    fn start(&mut self, index: usize, tell: Tell<'_>) {
        let vertex = &mut self.vertices[index];
        if vertex.told == Told::Nothing {
            vertex.told = Told::Started;
            self.tell_start(index, false, tell);
        }
    }

    fn tell_start(&self, index: usize, cached: bool, tell: Tell<'_>) {
        let Vertex { step, why, command, .. } = &self.vertices[index];
        let (command, part_of) = (command.clone(), Some(self.step.as_str()));
        tell(&Event::StepStarted { step, why, command, part_of, cached });
    }

    fn finish(&mut self, index: usize, tell: Tell<'_>) {
        let vertex = &mut self.vertices[index];
        if !vertex.is_open() {
            return;
        }
        let (outcome, exit_code) = (vertex.outcome(), vertex.exit_code());
        let rest = vertex.rest();
        let told = std::mem::replace(&mut vertex.told, Told::Finished);
        if told == Told::Nothing {
            self.tell_start(index, outcome == Outcome::Cached, tell);
        }
        let vertex = &self.vertices[index];
        let (step, seconds) = (vertex.step.as_str(), vertex.seconds(self.now));
        rest.iter().for_each(|line| tell(&Event::Output { step, line }));
        let part_of = Some(self.step.as_str());
        tell(&Event::StepFinished { step, outcome, exit_code, seconds, part_of });
    }

    fn add(&mut self, digest: &str, vertex: Vertex) -> usize {
        self.vertices.push(vertex);
        self.by_digest.insert(digest.to_owned(), self.vertices.len() - 1);
        self.vertices.len() - 1
    }

    /// A name for a vertex's step that no other has: two may stand in one place, such as the two of `COPY --link`.
    fn name(&mut self, name: &str) -> String {
        let name = Name::parse(name);
        if name.is_internal() {
            return self.step.clone();
        }
        let name = format!("{}: {}", self.step, name.label());
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.names.contains(name));
        let free = free.unwrap_or(name);
        self.names.insert(free.clone());
        free
    }

    fn show(&self, lines: &[String], tell: Tell<'_>) {
        lines.iter().for_each(|line| tell(&Event::Output { step: &self.step, line }));
    }
}
