//! How much space files take, and when they were last used.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::Failure;
use crate::platform::{self, FileId};

/// A file, or a folder with all that is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// Bytes on the disk.
    pub(super) size: u64,
    /// The latest mtime or atime of a file, or mtime of a folder: whoever lists a folder changes the atime of that.
    pub(super) last_used: SystemTime,
}

impl Measure {
    /// Nothing, never used.
    pub(super) const NOTHING: Measure = Measure { size: 0, last_used: SystemTime::UNIX_EPOCH };

    /// Both together.
    pub(super) fn and(self, other: Measure) -> Measure {
        Measure { size: self.size + other.size, last_used: self.last_used.max(other.last_used) }
    }
}

/// Measures files, each of them once.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Files with several names that were counted already.
    counted: HashSet<FileId>,
    /// What could not be read.
    pub(super) failures: Vec<Failure>,
}

impl Meter {
    /// What is at `path`. Symbolic links are not followed, and what has just gone takes no space.
    pub(super) fn measure(&mut self, path: &Path) -> Measure {
        let Some(metadata) = self.note(path, fs::symlink_metadata(path)) else { return Measure::NOTHING };
        let facts = platform::file_facts(path, &metadata);
        let is_counted = !metadata.is_dir() && facts.names > 1 && !self.counted.insert(facts.id);
        let size = if is_counted { 0 } else { facts.size };
        let mut measure = Measure { size, last_used: last_used(&metadata) };
        if metadata.is_dir() {
            for entry in self.list(path) {
                measure = measure.and(self.measure(&entry.path()));
            }
        }
        measure
    }

    /// The entries of a folder, by name; none of what is no folder.
    pub(super) fn list(&mut self, folder: &Path) -> Vec<fs::DirEntry> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = self.note(folder, entries).unwrap_or_default();
        entries.sort_by_key(fs::DirEntry::file_name);
        entries
    }

    fn note<T>(&mut self, path: &Path, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(found) => return Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.failures.push(Failure { path: path.to_owned(), error }),
        }
        None
    }
}

/// Whether there is a folder, and not a link to one.
pub(super) fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn last_used(metadata: &Metadata) -> SystemTime {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let accessed = metadata.accessed().ok().filter(|_| metadata.is_file());
    accessed.map_or(modified, |accessed| accessed.max(modified))
}
