//! A folder of any size whose files are like those of images.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::output_of;

/// A folder that grows: copies of the compiler's programs and libraries, over and over, and far enough apart that none is
/// found twice by what compresses them.
pub(super) struct Tree {
    folder: PathBuf,
    sources: Vec<PathBuf>,
    files: usize,
    bytes: u64,
}

impl Tree {
    /// An empty one at `folder`.
    ///
    /// # Errors
    /// When there can be none, or the compiler's files are not to be found.
    pub(super) fn new(folder: PathBuf) -> Result<Tree> {
        let sysroot = output_of("rustc", &["--print", "sysroot"]).context("cannot ask rustc where it is")?;
        let mut sources = Vec::new();
        collect(Path::new(&sysroot), &mut sources).context("cannot list the compiler's files")?;
        sources.sort_unstable();
        fs::create_dir(&folder).context("cannot make a folder")?;
        Ok(Tree { folder, sources, files: 0, bytes: 0 })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds files until there are so many bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn grow_to(&mut self, bytes: u64) -> Result<()> {
        let sources = self.sources.clone();
        for source in sources.iter().cycle().skip(self.files) {
            if self.bytes >= bytes {
                break;
            }
            let path = self.folder.join(self.files.to_string());
            self.bytes += part(source, &path, bytes - self.bytes)
                .with_context(|| format!("cannot copy {} to {}", source.display(), path.display()))?;
            self.files += 1;
        }
        Ok(())
    }
}

/// Copies at most `most` bytes of a file, and returns how many there were.
fn part(from: &Path, to: &Path, most: u64) -> io::Result<u64> {
    io::copy(&mut File::open(from)?.take(most), &mut File::create(to)?)
}

/// Files in `folder` and below that have something in them.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() && entry.metadata()?.len() > 0 {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_exactly_the_size_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(folder.path().join("tree")).unwrap();
        let size = |tree: &Tree| {
            let entries = fs::read_dir(tree.folder()).unwrap();
            entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
        };
        for bytes in [1_000_000, 1_000_001, 3_000_000] {
            tree.grow_to(bytes).unwrap();
            assert_eq!(size(&tree), bytes);
        }
    }
}
