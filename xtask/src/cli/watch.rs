//! What keeps the source good while it is worked on: `watch`, and git's hooks.

use clap::{Args, Subcommand, ValueEnum};

/// Flags of `watch`.
#[derive(Debug, Default, Args)]
pub(crate) struct WatchFlags {
    /// Database backend [default: the first in config/pipeline.toml]
    #[arg(long)]
    pub(crate) backend: Option<String>,
    /// How the service is run [default: container where docker or podman answers, else process]
    #[arg(long)]
    pub(crate) run: Option<Run>,
}

/// How `watch` runs the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Run {
    /// As its image, with docker or podman
    Container,
    /// As a process of this machine
    Process,
    /// Not at all
    None,
}

/// What can be done with git's hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum HooksTask {
    /// Have `git push` run `check` for what the remote does not have; `git push --no-verify` goes past it
    Install,
    /// Remove the hook, if it is the one of `install`
    Remove,
}
