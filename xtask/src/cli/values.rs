//! What flags can be set to.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How bad a vulnerability is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Its name in scanners.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// It and what is worse.
    pub(crate) fn and_above(self) -> &'static [Severity] {
        &Severity::value_variants()[self as usize..]
    }
}

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// Lines for people
    Human,
    /// One JSON object an event, on standard output
    Json,
}

/// A shell that can complete `cargo xtask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// With bash-completion or without
    Bash,
    /// With compinit
    Zsh,
    /// Beside what fish knows of cargo
    Fish,
}

/// What a machine is to be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Goal {
    /// The whole gate, for every database
    Check,
    /// Images of this pipeline's own engine, for every platform
    Native,
    /// Images that BuildKit makes
    Buildkit,
    /// The pipeline itself, and what native needs
    Kitchen,
}

impl Goal {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Goal::Check => "check",
            Goal::Native => "native",
            Goal::Buildkit => "buildkit",
            Goal::Kitchen => "kitchen",
        }
    }
}

/// A cargo profile of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Incremental, no link-time optimisation
    Release,
    /// Link-time optimisation, one codegen unit
    Dist,
    // template: if pipeline_tests
    /// As dist, and compiled by what the service does most under load
    Pgo,
    // template: end
}

impl Profile {
    /// The name that cargo knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Dist => "dist",
            Profile::Pgo => "pgo", // template: if pipeline_tests
        }
    }
}

/// What a build is for, besides what is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// To be looked into
    Debug,
}

impl Variant {
    /// What names of it end with.
    pub(crate) fn suffix(asked: Option<Variant>) -> &'static str {
        if asked.is_some() { "-debug" } else { "" }
    }
}

/// A way to link a static Linux binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Linker {
    /// The first of the others that works
    #[default]
    Auto,
    /// cargo-zigbuild and a musl target: any platform from any host
    Zigbuild,
    /// musl-gcc and a musl target
    MuslGcc,
    /// The host's own static C library
    Host,
}
