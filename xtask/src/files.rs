//! Files that are there as a whole or not at all, whenever this program is killed and whoever reads them meanwhile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where what is to be at `path` goes until it is whole. Another run may be at the same.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    path.with_added_extension(std::process::id().to_string())
}

/// Writes the file at `path`, in a folder that is made if it is not there.
///
/// # Errors
/// When that cannot be done. What was there before is there then.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = unfinished(path);
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        write(&path, "1").unwrap();
        write(&path, "2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "2");
        // In the place of a folder that is not empty, no file can be.
        write(&folder.path().join("new"), "3").unwrap_err();
        let left = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["new"]);
        assert_eq!(folder.path().join("new").read_dir().unwrap().count(), 1);
    }
}
