//! The target folder on the disk: what is in it, who uses it now, and how it is removed. What goes is decided elsewhere.
//!
//! What lies outside of the target folder is out of reach: a symbolic link is removed or left, and never followed.

mod lock;
mod measure;
mod profile;
mod remove;
mod scan;
#[cfg(test)] // template: if pipeline_tests
mod tests; // template: if pipeline_tests

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

pub(crate) use lock::Locking;
pub(crate) use remove::remove;
pub(crate) use scan::scan;

/// What is removed together or not at all: a unit that cargo compiled, an artifact with the files beside it, a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The folder that it is in, from the target folder: `debug`, `images/cache`; `.` for the target folder itself.
    pub(crate) place: String,
    /// What it is to a person.
    pub(crate) content: Content,
    /// Its files and folders in the order in which they have to go.
    pub(crate) paths: Vec<PathBuf>,
    /// Bytes on the disk.
    pub(crate) size: u64,
    /// When it was last used.
    ///
    /// Of a unit of cargo this is the latest mtime or atime of its fingerprint, which cargo reads for whatever is still
    /// fresh. With `relatime`, the usual way to mount, Linux renews the atime at most once in 24 hours: ages below a day
    /// follow the mtime alone. With `noatime` all do.
    pub(crate) last_used: SystemTime,
    /// Whether it has to stay: a running build may use it, or this program is it.
    pub(crate) stays: bool,
}

/// What an item is to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// Compiled crates.
    Dependencies,
    /// What lets rustc compile a changed crate sooner.
    Incremental,
    /// Build scripts, and what they made.
    BuildScripts,
    /// The rest of what cargo makes: programs, tests, examples.
    Programs,
    /// What the pipeline keeps, and whatever else is there.
    Files,
}

/// What is in a target folder.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The target folder without symbolic links.
    pub(crate) root: PathBuf,
    /// All that is in it.
    pub(crate) items: Vec<Item>,
    /// The folders that a running build uses.
    pub(crate) in_use: Vec<String>,
    /// What could not be read or locked.
    pub(crate) failures: Vec<Failure>,
    /// While they are open, no build begins where something is removed.
    _locks: Vec<File>,
}

/// A file or folder with which something could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why not.
    pub(crate) error: io::Error,
}
