//! What a task found out besides what it made: docs/events.md.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The next release, and what stands in its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Release {
    /// The last version that has a tag.
    pub last: Option<String>,
    /// What Cargo.toml has.
    pub current: String,
    /// The one to come; none where nothing has changed since the last.
    pub next: Option<String>,
    /// Why it is that one.
    pub why: String,
    /// What has changed, the newest first.
    pub changes: Vec<Change>,
    /// What is to be known.
    pub warnings: Vec<String>,
    /// What keeps it from being released.
    pub obstacles: Vec<String>,
}

/// A commit that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Its hash.
    pub commit: String,
    /// Its first line.
    pub subject: String,
    /// Which part of the version it raises, and why.
    pub reason: Option<String>,
}

/// What a registry can do, and who we are to it: never more than the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registry {
    /// The repository.
    pub repository: String,
    /// Its registry.
    pub registry: String,
    /// The kind of the credentials: `none`, `password` or `token`.
    pub credentials: String,
    /// Whose they are.
    pub account: Option<String>,
    /// Where they were found.
    pub found_in: Option<String>,
    /// Why nothing can be pushed.
    pub problem: Option<String>,
    /// What was tried.
    pub features: Vec<Feature>,
}

/// One thing that a registry can do or cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feature {
    /// What was tried.
    pub feature: String,
    /// Why it did not work.
    pub refusal: Option<String>,
    /// What to do without it.
    pub advice: String,
}

/// What became of an image's blobs when it was pushed or, in a dry run, what would have. Bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Push {
    /// They go over the network.
    pub uploaded: i64,
    /// They are in another repository of the registry.
    pub mounted: i64,
    /// They are there already.
    pub present: i64,
    /// How layers were compressed instead.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Whether nothing was done.
    pub dry_run: bool,
}
