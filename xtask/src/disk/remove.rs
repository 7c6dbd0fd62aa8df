//! Removal.

use std::fs;
use std::io;
use std::path::Path;

use super::{Failure, Item};
use crate::platform;

/// Removes an item. Its paths go in their order, so that cargo takes a unit for one to compile from the first moment on:
/// whenever this program is killed, what it leaves is a folder that cargo can use.
///
/// # Errors
/// What cannot be removed; the paths after it stay, too.
pub(crate) fn remove(item: &Item) -> Result<(), Failure> {
    for path in &item.paths {
        if let Err(error) = remove_path(path).or_else(ignore_missing) {
            return Err(Failure { path: path.clone(), error });
        }
    }
    Ok(())
}

/// A symbolic link goes itself, whatever it leads to.
fn remove_path(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { platform::remove_file(path) }
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
