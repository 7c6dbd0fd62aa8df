//! Events: what happens while a plan runs. docs/events.md describes their JSON form, which this file defines.

use serde::Serialize;

use crate::plan::Plan;

/// The version of the JSON form. Fields and events may be added to a version; nothing else changes in it.
pub(crate) const VERSION: u32 = 1;

/// One event.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// The plan that `--dry-run` shows, or that is about to run.
    Plan {
        /// Its steps and products.
        #[serde(flatten)]
        plan: &'a Plan,
    },
    /// Something that the user should know.
    Note {
        /// One sentence.
        message: String,
    },
    /// A step began.
    StepStarted {
        /// Its name.
        step: &'a str,
        /// What it is for.
        why: &'a str,
        /// The command, as a shell takes it; a vertex's instruction.
        command: String,
        /// The plan's step that it is a vertex of.
        #[serde(skip_serializing_if = "Option::is_none")]
        part_of: Option<&'a str>,
        /// Whether its result is known to be there, so that its end follows at once.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        cached: bool,
    },
    /// A step was passed over, because this machine cannot run it.
    StepSkipped {
        /// Its name.
        step: &'a str,
        /// What it is for.
        why: &'a str,
        /// What is missing, and how it is installed.
        reason: &'a str,
    },
    /// A step printed a line.
    Output {
        /// The step.
        step: &'a str,
        /// The line without its end; what is not UTF-8 is replaced by U+FFFD.
        line: &'a str,
    },
    /// A step ended.
    StepFinished {
        /// The step.
        step: &'a str,
        /// How it ended.
        outcome: Outcome,
        /// Its exit code; 128 and the signal's number for one that was ended by a signal.
        exit_code: u8,
        /// How long it ran.
        seconds: f64,
        /// The plan's step that it is a vertex of.
        #[serde(skip_serializing_if = "Option::is_none")]
        part_of: Option<&'a str>,
    },
    /// A finished binary.
    Artifact {
        /// Its path, relative to the workspace.
        path: String,
        /// Bytes.
        size: u64,
        /// Hex digits.
        sha256: String,
    },
    /// What `docker buildx bake` reads.
    Definition {
        /// The JSON, as text.
        text: &'a str,
    },
    /// A finished image.
    Image(ImageFinished),
    /// A service that was started and runs on.
    Service {
        /// What there is to open in a browser.
        urls: &'a [String],
        /// The command that ends it.
        end: &'a str,
    },
    /// The tools of this machine.
    Tools {
        /// Each tool.
        tools: &'a [ToolStatus],
        /// Whether images can be made, in a sentence.
        verdict: &'a str,
    },
    /// What went wrong before or after the steps.
    Error {
        /// The causes, outermost first.
        message: String,
    },
    /// The run is over; the last event.
    Finished {
        /// The exit code of this program.
        exit_code: u8,
        /// How long it all took.
        seconds: f64,
        /// The step that failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        failed: Option<&'a str>,
    },
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It did its work.
    Done,
    /// It succeeded and left every output untouched.
    Cached,
    /// It failed.
    Failed,
    /// It was ended because another step failed, or on the user's wish.
    Cancelled,
}

/// A finished image, and how to use it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ImageFinished {
    /// Its names.
    pub(crate) tags: Vec<String>,
    /// The digest of its index or, for one platform, its manifest.
    pub(crate) digest: String,
    /// The image for each platform.
    pub(crate) platforms: Vec<image_spec::PlatformReport>,
    /// The archive or layout folder; none for an image that is only pushed.
    pub(crate) path: Option<String>,
    /// What became of its blobs, where it was pushed.
    pub(crate) push: Option<image_spec::PushReport>,
    /// The runtime that has it.
    pub(crate) loaded_into: Option<String>,
    /// Commands that load, where that was not done, and run it.
    pub(crate) run: Vec<String>,
}

/// One tool of this machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ToolStatus {
    /// The program, or the name of what is installed.
    pub(crate) name: String,
    /// Its version; none when it is not there.
    pub(crate) version: Option<String>,
    /// What it is for.
    pub(crate) purpose: String,
    /// The line that installs it.
    pub(crate) install: String,
    /// Whether nothing works without it.
    pub(crate) required: bool,
}
