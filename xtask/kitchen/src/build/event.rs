//! Events of `cargo xtask --message-format json`, version 1, as far as they are kept: docs/events.md.

use serde::Deserialize;

use super::finding::{Push, Registry, Release};
use super::plan::PlannedStep;

/// One event. Those that are not kept, and those of later versions, are [`Event::Other`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// What a dry run would do.
    Plan {
        /// In the order in which they are shown.
        steps: Vec<PlannedStep>,
    },
    /// What a dry run found out, as text.
    Definition {
        /// All of it.
        text: String,
    },
    /// A step began.
    StepStarted {
        /// Its name.
        step: String,
        /// What it is for.
        why: String,
        /// The step that it is a vertex of.
        part_of: Option<String>,
    },
    /// A step was passed over.
    StepSkipped {
        /// Its name.
        step: String,
        /// What it is for.
        why: String,
        /// Why it was.
        reason: String,
    },
    /// A step printed a line.
    Output {
        /// Its name.
        step: String,
        /// What it printed.
        line: String,
    },
    /// A step ended.
    StepFinished {
        /// Its name.
        step: String,
        /// `done`, `cached`, `failed` or `cancelled`.
        outcome: String,
        /// How long it ran.
        seconds: f64,
    },
    /// A unit of cargo's ended.
    Crate {
        /// The step that compiled it.
        step: String,
        /// Its package.
        package: String,
        /// The package's version.
        version: String,
        /// The target of the package.
        target: Option<String>,
        /// What that is.
        kind: Option<String>,
        /// In seconds since the step began.
        started: f64,
        /// Likewise.
        finished: f64,
        /// Whether it was there already.
        fresh: bool,
        /// How it ended.
        outcome: String,
    },
    /// A finished binary.
    Artifact {
        /// Where it is.
        path: String,
        /// Bytes.
        size: i64,
        /// Hex digits.
        sha256: String,
    },
    /// The next release.
    Release(Release),
    /// A registry.
    Registry(Registry),
    /// A finished image.
    Image {
        /// The database that it is for.
        #[serde(default)]
        backend: String,
        /// Its names.
        tags: Vec<String>,
        /// Of its index or manifest.
        digest: String,
        /// The image for each platform.
        platforms: Vec<PlatformImage>,
        /// What became of its blobs, if it was pushed.
        push: Option<Push>,
    },
    /// What there is to know.
    Note {
        /// In a sentence.
        message: String,
    },
    /// What went wrong.
    Error {
        /// The causes, outermost first.
        message: String,
    },
    /// The run is over.
    Finished {
        /// The exit code.
        exit_code: i64,
        /// The step that failed first.
        failed: Option<String>,
    },
    /// Anything else.
    #[serde(other)]
    Other,
}

/// The image for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlatformImage {
    /// Its platform.
    pub platform: String,
    /// Bytes of all layers together, compressed.
    pub size: i64,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Layer {
    /// What it holds.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Bytes, compressed.
    pub size: i64,
    /// Whether it was there already.
    pub cached: bool,
}

impl Event {
    /// Reads one line; nothing for a line that is no event, such as one that a build script printed.
    pub fn parse(line: &[u8]) -> Option<Event> {
        serde_json::from_slice(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_others_are_let_pass() {
        let finished = Event::Finished { exit_code: 0, failed: None };
        assert_eq!(
            Event::parse(br#"{"v":1,"event":"finished","exit_code":0,"seconds":1.5}"#),
            Some(finished)
        );
        assert_eq!(Event::parse(br#"{"v":1,"event":"space","folder":"target"}"#), Some(Event::Other));
        assert_eq!(Event::parse(b"warning: something"), None);
    }
}
