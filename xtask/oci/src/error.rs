//! File errors that say what was wrong, where, and what to do.

use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::{Result, anyhow};

/// Adds to an I/O error what was being done to which path.
pub trait PathContext<T> {
    /// Turns the error into `cannot <doing> <path>: <error>; <advice>`.
    fn cannot(self, doing: &str, path: &Path) -> Result<T>;
}

impl<T> PathContext<T> for io::Result<T> {
    fn cannot(self, doing: &str, path: &Path) -> Result<T> {
        self.map_err(|error| anyhow!("{}", describe(&error, doing, path)))
    }
}

/// One line that names the failed action, its path, the system's reason and, where there is one, the remedy.
pub fn describe(error: &io::Error, doing: &str, path: &Path) -> String {
    format!("cannot {doing} {}: {error}{}", path.display(), advice(error.kind()))
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space there (`cargo clean` removes old builds) or choose another folder"
        }
        ErrorKind::ReadOnlyFilesystem => "; the file system is read-only: choose another folder",
        ErrorKind::PermissionDenied => "; check its owner and permissions",
        _ => "",
    }
}
