//! Windows.

mod group;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::mem::zeroed;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    GetFileInformationByHandle,
};

use super::FileFacts;
use group::done;
pub(crate) use group::{Group, exit_code, on_stop};

/// They are written for Unix: modes and owners of files, users, sockets.
pub(crate) const LACKING: Option<&str> = Some(
    "on Windows only the pipeline's front works: the image engine and throw-away databases need Linux or macOS; \
     in WSL 2 all of it works",
);

/// The other tests put shell scripts in the places of programs.
pub(crate) const TARGETS: &[&str] = &["--lib", "--bins", "--test", "cli"];

/// Everything runs with the same priority.
pub(crate) const NICE: &[&str] = &[];

/// No program does that here.
pub(crate) const NICE_WRAPPER: Option<&str> = None;

/// A name that means this in any folder.
pub(crate) const NULL: &str = "NUL";

/// `%LOCALAPPDATA%`, where nobody has moved it.
pub(crate) const CACHE_FOLDER: &str = "AppData/Local";

/// The kernel ends a job whose last handle is closed, and this program's are when it is killed.
pub(crate) const NEEDS_WATCHDOG: bool = false;

/// The file stays as it is, and cannot be written, as long as the program runs.
pub(crate) const REPLACES_RUNNING: bool = false;

/// What is known of the file at `path` with `metadata`; nothing where it cannot be opened. No link is followed. Its size
/// is its length: how much of the disk it takes nobody says as cheaply.
pub(crate) fn file_facts(path: &Path, metadata: &Metadata) -> FileFacts {
    let mut facts = FileFacts { size: metadata.len(), ..FileFacts::default() };
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    let file = OpenOptions::new().access_mode(0).custom_flags(flags).open(path);
    if let Ok(known) = file.and_then(|file| information(&file)) {
        let index = (u64::from(known.nFileIndexHigh) << 32) | u64::from(known.nFileIndexLow);
        facts.id = (known.dwVolumeSerialNumber.into(), index);
        facts.names = known.nNumberOfLinks.into();
    }
    facts
}

#[allow(unsafe_code)]
fn information(file: &File) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
    // SAFETY: a structure of numbers, all of which may be 0.
    let mut known = unsafe { zeroed::<BY_HANDLE_FILE_INFORMATION>() };
    // SAFETY: the handle is open, and the pointer is to what is written there.
    done(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &mut known) })?;
    Ok(known)
}

/// The absolute path of what is at `path`, without links; `C:\…` instead of `\\?\C:\…`, which programs do not take.
///
/// # Errors
/// When nothing is there.
pub(crate) fn canonical(path: &Path) -> io::Result<PathBuf> {
    let path = fs::canonicalize(path)?;
    let plain =
        path.to_str().and_then(|text| text.strip_prefix(r"\\?\")).filter(|rest| !rest.starts_with("UNC"));
    Ok(plain.map_or_else(|| path.clone(), PathBuf::from))
}

/// Removes a file, or a link wherever it leads: one to a folder is removed as a folder is.
///
/// # Errors
/// As [`fs::remove_file`].
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| fs::remove_dir(path).map_err(|_| error))
}

// template: if kitchen
/// Makes a file to append to. Who can read it is decided by the folder.
///
/// # Errors
/// When there is one already, or none can be made.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).open(path)
}

// template: end
/// A path as git prints it with `-z`: in UTF-8.
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// What starts the program `name`, which is looked up on PATH. Where `sh` is not there, Git has one, beside the folder
/// that its own installer puts there.
pub(crate) fn program(name: &OsStr) -> OsString {
    let folders =
        || env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    if name != "sh" || folders().iter().any(|folder| folder.join("sh.exe").is_file()) {
        return name.to_owned();
    }
    let git = folders().into_iter().filter(|folder| folder.join("git.exe").is_file());
    let mut shells = git.filter_map(|folder| Some(folder.parent()?.join(r"bin\sh.exe")));
    shells.find(|shell| shell.is_file()).map_or_else(|| name.to_owned(), PathBuf::into_os_string)
}
// template: if pipeline_tests

/// Puts a symbolic link to `target` at `path`, which Windows allows in its developer mode.
#[cfg(test)]
pub(crate) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    use std::os::windows::fs::{symlink_dir, symlink_file};
    if target.is_dir() { symlink_dir(target, path) } else { symlink_file(target, path) }
}

/// A name of a file that is no text.
#[cfg(test)]
pub(crate) fn unprintable_name() -> OsString {
    use std::os::windows::ffi::OsStringExt;
    OsString::from_wide(&[0x63, 0xd800, 0x2e, 0x64])
}
// template: end
