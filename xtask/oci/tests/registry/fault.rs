//! What goes wrong in front of the registry, and when.

use std::time::{Duration, Instant};

use super::http::Head;

/// What becomes of a request instead of being passed on.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered with this status and these headers. What it carries is read and dropped.
    Answer(&'static str, Vec<(&'static str, String)>),
    /// The connection ends after so many bytes of what it carries, which the registry got.
    CutRequest(u64),
    /// The same, but the registry keeps them as a finished part, as many registries do.
    KeepPart(u64),
    /// The first byte of what it carries arrives as another one.
    FlipRequest,
    /// Nothing is read after so many bytes of what it carries.
    StallRequest(u64),
    /// The registry does it, and the connection ends before the answer.
    LoseAnswer,
    /// The connection ends after so many bytes of the answer's body.
    CutAnswer(u64),
    /// The answer's body has only so many bytes, and its head says so.
    Truncate(u64),
    /// The first byte of the answer's body is another one.
    FlipAnswer,
    /// The answer comes a byte at a time, this long apart.
    Drip(Duration),
    /// There is no answer, and the connection stays open.
    Silence,
    /// It is sent elsewhere, with this status, to the same path.
    Redirect(&'static str, String),
    /// Passed on, but the answer's Location is at another origin.
    MoveLocation(String),
    /// Passed on, but the answer's Location has no origin.
    RelativeLocation,
}

/// A fault, and which requests it is for.
#[derive(Clone, Debug)]
pub struct Rule {
    method: &'static str,
    path: String,
    skip: u32,
    times: u32,
    fault: Fault,
}

impl Rule {
    /// For the next request of this method whose path contains `path`.
    pub fn new(method: &'static str, path: impl Into<String>, fault: Fault) -> Rule {
        Rule { method, path: path.into(), skip: 0, times: 1, fault }
    }

    /// The first such requests are spared.
    pub fn after(mut self, spared: u32) -> Rule {
        self.skip = spared;
        self
    }

    /// For so many requests.
    pub fn times(mut self, times: u32) -> Rule {
        self.times = times;
        self
    }

    pub fn always(self) -> Rule {
        self.times(u32::MAX)
    }

    /// What it does to this request. Each request counts once.
    pub fn applies(&mut self, head: &Head) -> Option<Fault> {
        if head.method() != self.method || !head.target().contains(&self.path) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times = self.times.checked_sub(1)?;
        Some(self.fault.clone())
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub head: Head,
    pub when: Instant,
    /// How many bytes of its body came.
    pub body: u64,
}

impl Seen {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.head.method() == method && self.head.target().contains(path)
    }
}
