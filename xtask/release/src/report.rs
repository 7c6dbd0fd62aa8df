//! What is proposed, for programs. `xtask` and `xtask-release` both compile this file: the one writes it, the other makes an
//! event of it.

use serde::{Deserialize, Serialize};

/// The next release, and what stands in its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReleaseReport {
    /// The last version that has a tag here; none before the first release.
    pub(crate) last: Option<String>,
    /// What Cargo.toml has.
    pub(crate) current: String,
    /// The one to come; none where nothing has changed since the last.
    pub(crate) next: Option<String>,
    /// Why it is that one, or none.
    pub(crate) why: String,
    /// What has changed in between, the newest first.
    pub(crate) changes: Vec<ChangeReport>,
    /// What is to be known before.
    pub(crate) warnings: Vec<String>,
    /// What keeps it from being released, each with what to do.
    pub(crate) obstacles: Vec<String>,
}

/// A commit that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeReport {
    /// Its hash.
    pub(crate) commit: String,
    /// Its first line.
    pub(crate) subject: String,
    /// Which part of the version it raises, and why; none before the first release.
    pub(crate) reason: Option<String>,
}
