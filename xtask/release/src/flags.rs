//! The flags of `cargo xtask release`. `xtask` and `xtask-release` both compile this file, so that they cannot disagree:
//! xtask depends on nothing that is heavy, xtask-release among it.

use clap::{Args, ValueEnum};

/// What is to become of a release.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReleaseFlags {
    /// Do what is proposed: write CHANGELOG.md and the version, commit and tag; nothing is pushed
    #[arg(long)]
    pub(crate) execute: bool,
    /// Take the last release back, tag and commit, as long as neither is on a remote
    #[arg(long, conflicts_with_all = ["execute", "version", "bump"])]
    pub(crate) undo: bool,
    /// The version, instead of the one that follows from the commits
    #[arg(long, value_name = "X.Y.Z", conflicts_with = "bump")]
    pub(crate) version: Option<String>,
    /// Which part of the version to raise, whatever the commits say
    #[arg(long, value_name = "PART")]
    pub(crate) bump: Option<Bump>,
    /// Ask neither git's remotes nor the image's registry whether a version is taken
    #[arg(long)]
    pub(crate) offline: bool,
}

/// A part of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bump {
    /// 1.2.3 becomes 2.0.0
    Major,
    /// 1.2.3 becomes 1.3.0
    Minor,
    /// 1.2.3 becomes 1.2.4
    Patch,
}
