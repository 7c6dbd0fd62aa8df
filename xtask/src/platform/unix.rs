//! Linux and macOS.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::fs::{File, OpenOptions}; // template: if kitchen
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt; // template: if kitchen
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{FileFacts, Firmness, by_signal};

/// Why the image engine and the databases do not run here; none where they do.
pub(crate) const LACKING: Option<&str> = None;

/// The arguments of cargo that mean what of the front can be compiled and tested here; none for all of it.
pub(crate) const TARGETS: &[&str] = &[];

/// What stands before a command that is to give way to all others.
pub(crate) const NICE: &[&str] = &["nice", "-n", "19"];

/// What stands before a compiler that is to give way to tests and people.
pub(crate) const NICE_WRAPPER: Option<&str> = Some("nice");

/// The file in which nothing is.
pub(crate) const NULL: &str = "/dev/null";

/// Where programs keep what they can get again, from the user's home.
pub(crate) const CACHE_FOLDER: &str = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };

/// Whether a second process has to end what a run leaves that was killed.
pub(crate) const NEEDS_WATCHDOG: bool = true;

/// Whether the file of a program that runs can be replaced.
pub(crate) const REPLACES_RUNNING: bool = true;

/// The unit of `st_blocks` in bytes, whatever the file system's blocks are: stat(3type).
const BLOCK: u64 = 512;

/// A step's processes, however many: they get signals together because the step leads a process group of its own.
#[derive(Debug)]
pub(crate) struct Group(u32);

impl Group {
    /// Makes `command` the leader of a group of its own.
    pub(crate) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    /// The group that process `leader` leads.
    pub(crate) fn of(leader: u32) -> Group {
        Group(leader)
    }

    /// The number of the process that leads it.
    pub(crate) fn leader(&self) -> u32 {
        self.0
    }

    /// Signals all processes; a group that is gone is no error.
    pub(crate) fn signal(&self, firmness: Firmness) {
        let signal = match firmness {
            Firmness::Interrupt => SIGINT,
            Firmness::Terminate => SIGTERM,
            Firmness::Kill => libc::SIGKILL,
        };
        // Group 0 would be this process's own.
        let Some(leader) = i32::try_from(self.0).ok().filter(|leader| *leader > 1) else { return };
        // SAFETY: the call takes two numbers and touches no memory of this process.
        #[allow(unsafe_code)]
        let _ = unsafe { libc::killpg(leader, signal) };
    }
}

/// The exit code as shells report it: 128 and the number for a process that a signal ended.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(1),
        (None, signal) => signal.map_or(1, by_signal),
    }
}

/// From here on, signals that ask this program to stop do not end it: `stop` gets the number of each, in another thread.
///
/// # Errors
/// When the kernel does not let signals be handled.
pub(crate) fn on_stop(mut stop: impl FnMut(i32) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || signals.forever().for_each(&mut stop));
    Ok(())
}

/// What is known of the file at `path` with `metadata`. No link is followed.
pub(crate) fn file_facts(_path: &Path, metadata: &Metadata) -> FileFacts {
    FileFacts {
        id: (metadata.dev(), metadata.ino()),
        names: metadata.nlink(),
        size: metadata.blocks() * BLOCK,
    }
}

/// The absolute path of what is at `path`, without links.
///
/// # Errors
/// When nothing is there.
pub(crate) fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Removes a file, or a link wherever it leads.
///
/// # Errors
/// As [`fs::remove_file`].
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

// template: if kitchen
/// Makes a file to append to, which only its owner can read.
///
/// # Errors
/// When there is one already, or none can be made.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

// template: end
/// A path as git prints it with `-z`: of any bytes.
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_owned()).into()
}

/// What starts the program `name`, which is looked up on PATH.
pub(crate) fn program(name: &OsStr) -> OsString {
    name.to_owned()
}
// template: if pipeline_tests

/// Puts a symbolic link to `target` at `path`.
#[cfg(test)]
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// A name of a file that is no text.
#[cfg(test)]
pub(crate) fn unprintable_name() -> OsString {
    OsString::from_vec(b"caf\xe9.d".to_vec())
}
// template: end
