//! Flags of `clean`.

use std::time::Duration;

use clap::Args;

use crate::size::Size;

/// Flags of `clean`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CleanFlags {
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Have the cache of the configured builder keep to the same limits, by `docker buildx prune`
    #[arg(long, requires = "Limits")]
    pub(crate) builder: bool,
}

/// What may stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[group(multiple = true)]
pub(crate) struct Limits {
    /// Remove what was last used longer ago than this, such as 7d or 12h
    ///
    /// A unit that cargo compiled counts as used when it was compiled, and when cargo last read its fingerprint, as it does
    /// at each build that needs it. Linux notes the latter at most once in 24 hours, and not at all on a file system that is
    /// mounted with noatime: an age below a day goes by when things were made.
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(crate) older_than: Option<Duration>,
    /// Remove what was not used for longest, until the target folder takes at most this, such as 5GB or 500MB
    #[arg(long, value_name = "SIZE")]
    pub(crate) keep: Option<Size>,
}

impl Limits {
    /// Whether something is to be removed at all.
    pub(crate) fn are_set(&self) -> bool {
        self.older_than.is_some() || self.keep.is_some()
    }
}

fn parse_age(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write an age such as 7d or 12h"))
}
