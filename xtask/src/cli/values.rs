//! What flags can be set to.

use clap::ValueEnum;

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
