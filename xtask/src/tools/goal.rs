//! What a machine is to be able to do: each tool says which of these need it.

use clap::ValueEnum;
use serde::Serialize;

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
