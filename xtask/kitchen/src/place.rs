//! Where Kitchen keeps what it knows, and that only one of them does.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// The folder of one project's Kitchen. Nobody else can look into it.
#[derive(Clone, Debug)]
pub struct Place {
    root: PathBuf,
}

/// The Kitchen of a project that runs. Others can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The number of its process.
    pub pid: u32,
    /// Where it is in a browser, without its token.
    pub url: String,
}

/// That this process is the Kitchen of its project, until it is dropped or the process ends in any way.
#[derive(Debug)]
pub struct Lock(File);

impl Place {
    /// The folder in the project at `root`, which may not be there.
    pub fn at(root: &Path) -> Place {
        Place { root: root.to_owned() }
    }

    /// The folder in the project at `root`, made where there is none.
    ///
    /// # Errors
    /// When it cannot be made, or not be closed to others.
    pub fn in_project(root: &Path) -> Result<Place> {
        let place = Place::at(root);
        let logs = place.logs();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&logs);
        made.with_context(|| format!("cannot make the folder {}", logs.display()))?;
        let folder = place.folder();
        let closed = fs::set_permissions(&folder, Permissions::from_mode(0o700));
        closed.with_context(|| format!("cannot close {} to others", folder.display()))?;
        Ok(place)
    }

    /// The project.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The history.
    pub fn database(&self) -> PathBuf {
        self.folder().join("kitchen.db")
    }

    /// The key by which programs of the same user come in.
    pub fn key(&self) -> PathBuf {
        self.folder().join("key")
    }

    /// What the build has printed, as it is shown.
    pub fn log(&self, build: i64) -> PathBuf {
        self.logs().join(format!("{build}.log"))
    }

    /// The events of the build, as they came.
    pub fn events(&self, build: i64) -> PathBuf {
        self.logs().join(format!("{build}.jsonl"))
    }

    /// Where terminals leave the records of their builds. It may not be there.
    pub fn spool(&self) -> PathBuf {
        self.folder().join("spool")
    }

    /// Where git keeps, for a moment, what it needs to tell what the work tree holds.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder().join("scratch")
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// When another process has it: says where that one is.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.folder().join("lock");
        let mut file = private(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                file.read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
                match serde_json::from_str::<Running>(&text) {
                    Ok(other) => bail!(
                        "the Kitchen of this project runs already: {} (process {}); --open lets a browser in",
                        other.url,
                        other.pid
                    ),
                    Err(_) => bail!("the Kitchen of this project is being started by another process"),
                }
            }
            Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// The Kitchen of this project, if one runs.
    pub fn running(&self) -> Option<Running> {
        let path = self.folder().join("lock");
        let mut file = File::open(path).ok()?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => {}
            _ => return None,
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root.join(".kitchen")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }
}

impl Lock {
    /// Tells others where this Kitchen is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn tell(&mut self, running: &Running) -> Result<()> {
        let text = serde_json::to_vec(running)?;
        self.0
            .set_len(0)
            .and_then(|()| self.0.rewind())
            .and_then(|()| self.0.write_all(&text))
            .context("the lock file")
    }
}

/// A file that only its owner can read, made where there is none.
///
/// # Errors
/// When it cannot be opened.
pub fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_where_the_first_is() {
        let project = tempfile::tempdir().unwrap();
        assert_eq!(Place::at(project.path()).running(), None);
        assert!(!project.path().join(".kitchen").exists(), "who only asks leaves nothing");
        let place = Place::in_project(project.path()).unwrap();
        let mut first = place.lock().unwrap();
        assert!(place.lock().unwrap_err().to_string().ends_with("is being started by another process"));
        first.tell(&Running { pid: 7, url: "http://127.0.0.1:4321".to_owned() }).unwrap();
        let error = place.lock().unwrap_err().to_string();
        assert!(place.running().is_some());
        assert_eq!(
            error,
            "the Kitchen of this project runs already: http://127.0.0.1:4321 (process 7); --open lets a browser in"
        );
        drop(first);
        assert_eq!(place.running(), None);
        place.lock().unwrap();
    }

    #[test]
    fn nobody_else_can_look_into_it() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join(".kitchen");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let place = Place::in_project(project.path()).unwrap();
        private(&place.log(1)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&place.log(1))), (0o700, 0o600));
    }
}
