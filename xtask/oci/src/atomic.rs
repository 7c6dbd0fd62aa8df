//! Files and folders that appear under their final name only when they are complete.
//!
//! Each is written beside its final place as `.<name>.<process>.<number>.tmp` and then renamed. An error removes it; a
//! killed process leaves it, and the next run that writes the same name removes it.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::digest::CHUNK;
use crate::error::{PathContext as _, describe};

/// A temporary that nobody has written to for this long belongs to a process that was killed.
const STALE: Duration = Duration::from_secs(10 * 60);

/// The temporary name of a file or folder: removed when dropped, unless it has got its final name.
#[derive(Debug)]
pub struct TempPath {
    path: PathBuf,
    dest: PathBuf,
}

impl TempPath {
    /// Chooses a temporary name beside `dest`, makes the folder for both, and removes what killed processes left there.
    pub fn beside(dest: &Path) -> Result<TempPath> {
        let temp = TempPath::unused(dest)?;
        let folder = folder_of(dest);
        fs::create_dir_all(folder).cannot("create the folder", folder)?;
        remove_stale(folder, &file_name(dest)?);
        Ok(temp)
    }

    fn unused(dest: &Path) -> Result<TempPath> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!(".{}.{}.{number}.tmp", file_name(dest)?, std::process::id());
        Ok(TempPath { path: folder_of(dest).join(name), dest: dest.to_owned() })
    }

    /// The temporary name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives what was written its final name, replacing a file of that name in one step.
    pub fn commit(self) -> Result<()> {
        fs::rename(&self.path, &self.dest).cannot("write", &self.dest)
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        // After a commit there is nothing left of that name, and a failed clean-up must not hide the first error.
        if fs::remove_file(&self.path).is_err() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A file that is being written. Its write errors name its final path.
#[derive(Debug)]
pub struct AtomicFile {
    file: BufWriter<File>,
    temp: TempPath,
}

impl AtomicFile {
    /// Starts a file that is going to be `dest`.
    pub fn create(dest: &Path) -> Result<AtomicFile> {
        AtomicFile::open(TempPath::beside(dest)?)
    }

    /// Starts a file like one that [`create`](Self::create) started in the same folder, without looking for what killed
    /// processes left: that takes longer the more files there are.
    pub fn create_another(dest: &Path) -> Result<AtomicFile> {
        AtomicFile::open(TempPath::unused(dest)?)
    }

    fn open(temp: TempPath) -> Result<AtomicFile> {
        let file =
            OpenOptions::new().write(true).create_new(true).open(&temp.path).cannot("write", &temp.dest)?;
        Ok(AtomicFile { file: BufWriter::with_capacity(CHUNK, file), temp })
    }

    /// Gives the file its final name.
    pub fn commit(mut self) -> Result<()> {
        self.flush()?;
        self.temp.commit()
    }

    /// Gives the file its final name once its content is on the disk, so that not even a power cut leaves half of it.
    pub fn commit_durably(mut self) -> Result<()> {
        self.flush()?;
        self.file.get_ref().sync_all().cannot("write", &self.temp.dest)?;
        self.temp.commit()
    }

    /// Gives the file another final name, in the same folder, for a name that depends on the content.
    pub fn commit_as(mut self, dest: &Path) -> Result<()> {
        self.temp.dest = dest.to_owned();
        self.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| name_path(&error, &self.temp.dest))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| name_path(&error, &self.temp.dest))
    }
}

fn name_path(error: &io::Error, dest: &Path) -> io::Error {
    io::Error::new(error.kind(), describe(error, "write", dest))
}

/// Writes a small file in one step.
pub fn write(dest: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(dest)?;
    file.write_all(bytes)?;
    file.commit()
}

fn file_name(dest: &Path) -> Result<Cow<'_, str>> {
    let name = dest.file_name().with_context(|| format!("{} is not a file name", dest.display()))?;
    Ok(name.to_string_lossy())
}

/// The folder that `path` is in, which for a bare file name is the working folder.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Removes temporaries of `name` that no living process can be writing. Failing to is no reason to fail.
fn remove_stale(folder: &Path, name: &str) {
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file_name = entry.file_name();
        let Some(middle) = file_name
            .to_str()
            .and_then(|text| text.strip_prefix(&prefix))
            .and_then(|text| text.strip_suffix(".tmp"))
        else {
            continue;
        };
        let is_ours = middle.chars().all(|c| c.is_ascii_digit() || c == '.');
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|time| time.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > STALE) {
            drop(TempPath { path: entry.path(), dest: PathBuf::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_unfinished_file_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("image.tar");
        write(&dest, b"old").unwrap();
        let mut file = AtomicFile::create(&dest).unwrap();
        file.write_all(b"new but unfin").unwrap();
        drop(file);
        assert_eq!(fs::read(&dest).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["image.tar"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_once_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("a");
        for name in [".a.1.0.tmp", ".a.2.0.tmp", ".a.notes.tmp", ".b.1.0.tmp"] {
            let file = File::create(folder.path().join(name)).unwrap();
            if name != ".a.2.0.tmp" {
                file.set_modified(SystemTime::now() - STALE * 2).unwrap();
            }
        }
        write(&dest, b"").unwrap();
        assert_eq!(names(folder.path()), [".a.2.0.tmp", ".a.notes.tmp", ".b.1.0.tmp", "a"]);
    }

    #[test]
    fn errors_name_the_final_path() {
        let error = write(Path::new("/proc/no/such"), b"").unwrap_err();
        assert!(error.to_string().starts_with("cannot create the folder /proc/no: "), "{error}");
        assert_eq!(format!("{:#}", write(Path::new("/"), b"").unwrap_err()), "/ is not a file name");
    }
}
