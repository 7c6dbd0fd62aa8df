//! Places finished binaries under their final names, with their digests beside them.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use image_spec::Platform;

use crate::atomic::{self, TempPath};
use crate::digest::Digest;
use crate::error::PathContext as _;
use crate::{elf, startable, upx};

const MODE: u32 = 0o755;

/// Copies the binary `src` to `dest` with mode 0755 and writes `dest.sha256` beside it, in the form of `sha256sum`. When
/// both are already as they should be, neither is touched. Returns what the caller should be warned of.
///
/// # Errors
/// `src` is not a program for `platform`, or a file cannot be read or written.
pub fn place(src: &Path, dest: &Path, platform: Platform, pack: bool) -> Result<Option<String>> {
    check(src, platform)?;
    let digest = Digest::of_file(src)?;
    if !pack {
        place_file(src, digest, dest)?;
        remove_packed_from(dest)?;
        return Ok(None);
    }
    if is_packed_from(dest, digest) {
        return Ok(None);
    }
    match upx::pack(src, dest, platform) {
        Ok(packed) => {
            place_temp(packed, dest)?;
            atomic::write(&packed_from(dest), record(digest, Digest::of_file(dest)?).as_bytes())?;
            Ok(None)
        }
        Err(error) => {
            place_file(src, digest, dest)?;
            remove_packed_from(dest)?;
            Ok(Some(format!("{} is not compressed with UPX: {error:#}", dest.display())))
        }
    }
}

fn check(src: &Path, platform: Platform) -> Result<()> {
    let mut file = File::open(src).cannot("open", src)?;
    let name = src.display().to_string();
    let elf = elf::read(&mut file).cannot("read", src)?;
    let elf = elf.with_context(|| {
        format!("{name} is not a Linux program (no ELF header); build it with `--platform {platform}`")
    })?;
    startable::check_machine(&name, &elf, platform)?;
    ensure!(elf.executable, "{name} is a library or an object file, not a program");
    Ok(())
}

fn place_file(src: &Path, digest: Digest, dest: &Path) -> Result<()> {
    if is_placed(dest, digest) {
        return Ok(());
    }
    let temp = TempPath::beside(dest)?;
    fs::copy(src, temp.path()).cannot("write", dest)?;
    place_temp(temp, dest)
}

fn place_temp(temp: TempPath, dest: &Path) -> Result<()> {
    fs::set_permissions(temp.path(), Permissions::from_mode(MODE)).cannot("make executable", dest)?;
    let digest = Digest::of_file(temp.path())?;
    let sum = sha256sum(dest, digest);
    temp.commit()?;
    atomic::write(&with_suffix(dest, ".sha256"), sum.as_bytes())
}

/// Whether `dest` has this content, can be executed, and has its digest beside it.
fn is_placed(dest: &Path, digest: Digest) -> bool {
    let is_executable = fs::metadata(dest).is_ok_and(|found| found.permissions().mode() & 0o777 == MODE);
    let has_sum =
        fs::read_to_string(with_suffix(dest, ".sha256")).is_ok_and(|sum| sum == sha256sum(dest, digest));
    is_executable && has_sum && Digest::of_file(dest).is_ok_and(|found| found == digest)
}

/// A line that `sha256sum --check` understands in the folder of `dest`.
fn sha256sum(dest: &Path, digest: Digest) -> String {
    let name = dest.file_name().unwrap_or_default().to_string_lossy();
    format!("{}  {name}\n", digest.hex())
}

/// The file that remembers which binary `dest` was packed from, so that the same one is not packed twice.
fn packed_from(dest: &Path) -> PathBuf {
    with_suffix(dest, ".upx")
}

fn is_packed_from(dest: &Path, unpacked: Digest) -> bool {
    let Ok(packed) = Digest::of_file(dest) else {
        return false;
    };
    is_placed(dest, packed)
        && fs::read_to_string(packed_from(dest)).is_ok_and(|text| text == record(unpacked, packed))
}

fn record(unpacked: Digest, packed: Digest) -> String {
    format!("{} packed from {}\n", packed.hex(), unpacked.hex())
}

fn remove_packed_from(dest: &Path) -> Result<()> {
    let path = packed_from(dest);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).cannot("remove", &path),
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
