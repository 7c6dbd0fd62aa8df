//! The locks that builds hold on what they use. The kernel gives each up when its holder is gone.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::config::LOCK;

/// What cargo locks in the folder of a profile while it builds there, by `flock(2)`; the last two are of a newer cargo. See
/// [`Layout`](https://github.com/rust-lang/cargo/blob/master/src/cargo/core/compiler/layout.rs).
const CARGO: [&str; 3] = [".cargo-lock", ".cargo-artifact-lock", ".cargo-build-lock"];

/// How much locking there has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// None: nothing will be removed.
    None,
    /// Where there is a file for it: nothing is written.
    Existing,
    /// Everywhere.
    All,
}

/// Takes cargo's locks of the profile at `folder`; `None` while a build has one.
///
/// # Errors
/// When a lock can be neither opened nor made, as in a folder that is read-only.
pub(super) fn profile(folder: &Path, locking: Locking) -> io::Result<Option<Vec<File>>> {
    let mut held = Vec::new();
    for name in CARGO {
        // Every cargo knows the first one, and only some make the others.
        let own = if name == CARGO[0] { locking } else { locking.min_existing() };
        match take(&folder.join(name), own)? {
            Taken::Held(file) => held.push(file),
            Taken::Absent => {}
            Taken::Busy => return Ok(None),
        }
    }
    Ok(Some(held))
}

/// Takes the lock that runs of the pipeline hold; `None` while one does.
///
/// # Errors
/// As [`profile`].
pub(super) fn pipeline(target: &Path, locking: Locking) -> io::Result<Option<Vec<File>>> {
    Ok(match take(&target.join(LOCK), locking)? {
        Taken::Held(file) => Some(vec![file]),
        Taken::Absent => Some(vec![]),
        Taken::Busy => None,
    })
}

enum Taken {
    Held(File),
    Absent,
    Busy,
}

impl Locking {
    fn min_existing(self) -> Locking {
        if self == Locking::All { Locking::Existing } else { self }
    }
}

fn take(path: &Path, locking: Locking) -> io::Result<Taken> {
    let create = match locking {
        Locking::None => return Ok(Taken::Absent),
        Locking::Existing => false,
        Locking::All => true,
    };
    let file = match File::options().read(true).write(create).create(create).truncate(false).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Taken::Absent),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Taken::Held(file)),
        Err(TryLockError::WouldBlock) => Ok(Taken::Busy),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
