//! Events: what happens while a plan runs. docs/events.md describes their JSON form, which this file defines.

use serde::Serialize;

use super::release::ReleaseReport;
use super::space::{Removed, Space};
use crate::plan::Plan;
use crate::tools::Goal;

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
    /// A step was passed over.
    StepSkipped {
        /// Its name.
        step: &'a str,
        /// What it is for.
        why: &'a str,
        /// Why: what is missing and how it is installed, what did not change, or which step failed that it needs.
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
    /// A crate of a step was compiled, or was there already.
    Crate(CrateFinished<'a>),
    /// A finished binary.
    Artifact {
        /// Its path, relative to the workspace.
        path: String,
        /// Bytes.
        size: u64,
        /// Hex digits.
        sha256: String,
    },
    /// A text that was asked for.
    Definition {
        /// What `docker buildx bake`, a shell or a workflow reads.
        text: &'a str,
    },
    /// The next release, and what stands in its way.
    Release(ReleaseReport),
    /// What a registry can do, and who we are to it.
    Registry(image_spec::RegistryReport),
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
    /// The page of the run was written.
    Timings {
        /// Its path, relative to the workspace where it is inside.
        path: String,
    },
    /// What takes space.
    Space(&'a Space),
    /// What was removed, or would be.
    Removed(&'a Removed),
    /// Files were changed, and `watch` begins anew.
    Changed {
        /// The files, relative to the workspace.
        paths: &'a [String],
    },
    /// A stage of `watch` began: another run of this program, whose own events follow.
    StageStarted {
        /// Its name.
        stage: &'a str,
        /// What it is for.
        why: &'a str,
        /// The command, as a shell takes it.
        command: String,
    },
    /// The stages of `watch` are over.
    CycleFinished {
        /// How they ended.
        outcome: Outcome,
        /// The stage that failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        stage: Option<&'a str>,
        /// Since the first stage began.
        seconds: f64,
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
        /// The step that failed first.
        #[serde(skip_serializing_if = "Option::is_none")]
        failed: Option<&'a str>,
        /// All that failed, in the order in which they did.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        failures: &'a [Failure<'a>],
    },
}

/// A step that failed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure<'a> {
    /// Its name.
    pub(crate) step: &'a str,
    /// Its exit code; 124 for one whose tests hung.
    pub(crate) exit_code: u8,
    /// The command that repeats it.
    pub(crate) repeat: String,
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

/// A unit of cargo's: a target of a package, or its build script that ran.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CrateFinished<'a> {
    /// The step.
    pub(crate) step: &'a str,
    /// The package.
    pub(crate) package: &'a str,
    /// Its version.
    pub(crate) version: &'a str,
    /// The target's name; none where the package was cancelled before any of its targets was known.
    pub(crate) target: Option<&'a str>,
    /// Such as `lib`, `bin`, `proc-macro`, `custom-build` or `run-custom-build`.
    pub(crate) kind: Option<&'a str>,
    /// Whether it is compiled as a test.
    pub(crate) test: bool,
    /// When it began, in seconds since its step did; an estimate but for the first that is compiled of a package.
    pub(crate) started: f64,
    /// When it ended, likewise.
    pub(crate) finished: f64,
    /// Whether it was there already; `started` is when cargo said so, as `finished` is.
    pub(crate) fresh: bool,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// A finished image, and how to use it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ImageFinished {
    /// The database that it is for.
    pub(crate) backend: String,
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
    /// What needs it.
    #[serde(rename = "for")]
    pub(crate) goals: &'static [Goal],
}
