//! The lock that keeps two runs from mixing their outputs. The kernel gives it up when its holder is gone.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};

/// Held until dropped.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`; `None` while another run has it.
    ///
    /// # Errors
    /// When the file cannot be made, as on a full disk or in a folder that is read-only.
    pub(super) fn try_take(path: &Path) -> Result<Option<Lock>> {
        let advice =
            || format!("cannot write {}; is the disk full, or the folder read-only?", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(advice)?;
        }
        let file = File::create(path).with_context(advice)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }
}
