//! Places finished binaries under their final names, with their digests and their debug information beside them.

mod recipe;

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use image_spec::Platform;
use recipe::Recipe;

use crate::atomic::{self, TempPath};
use crate::digest::Digest;
use crate::error::PathContext as _;
use crate::{elf, startable, upx};

const MODE: u32 = 0o755;

/// How a binary is placed.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What it has to be built for.
    pub platform: Platform,
    /// The list of its packages, which it is going to carry.
    pub packages: Option<Packages<'a>>,
    /// Whether it keeps its symbols and debug information. They go to a file beside it otherwise.
    pub keep_symbols: bool,
    /// Whether it is compressed with UPX.
    pub pack: bool,
}

/// Where the list of packages comes from.
#[derive(Clone, Copy, Debug)]
pub struct Packages<'a> {
    /// The output of `cargo metadata --format-version 1`, with the platform and the features of the build.
    pub metadata: &'a [u8],
    /// The name of the package that the binary is of.
    pub root: &'a str,
}

/// Places the binary `src` as `dest` with mode 0755 and writes `dest.sha256` beside it, in the form of `sha256sum`. Its
/// debug information, if it has any, becomes `dest.debug`. When all is as it should be, nothing is touched. Returns what
/// the caller should be warned of.
///
/// # Errors
/// `src` is not a program for the platform, the list of packages cannot be made, or a file cannot be read or written.
pub fn place(src: &Path, dest: &Path, options: &Options<'_>) -> Result<Vec<String>> {
    check(src, options.platform)?;
    let mut warnings = Vec::new();
    let digest = Digest::of_file(src)?;
    let recipe = Recipe::new(src, digest, options, &mut warnings)?;
    if recipe.is_copy() {
        place_file(src, digest, dest)?;
        remove(&recipe::debug_file(dest))?;
        remove(&recipe::record_file(dest))?;
        return Ok(warnings);
    }
    if !is_done(&recipe, dest) && !make(&recipe, src, dest, options, &mut warnings)? {
        // What could not be done today is tried again the next time.
        remove(&recipe::record_file(dest))?;
    } else if options.pack && options.packages.is_some() {
        let name = dest.display();
        warnings
            .push(format!("UPX hides the list of packages in {name}; pack it without one, or not at all"));
    }
    Ok(warnings)
}

fn is_done(recipe: &Recipe<'_>, dest: &Path) -> bool {
    Digest::of_file(dest).is_ok_and(|found| has_sum(dest, found) && recipe.is_done(dest, found))
}

/// Makes `dest` and what is beside it. The record comes last: without it, everything is made again. Returns whether all
/// was done that was asked for.
fn make(
    recipe: &Recipe<'_>,
    src: &Path,
    dest: &Path,
    options: &Options<'_>,
    warnings: &mut Vec<String>,
) -> Result<bool> {
    let told = warnings.len();
    let worked = recipe.work(dest, warnings)?;
    let binary = worked.as_ref().map_or(src, |worked| &worked.binary);
    let debug = place_debug(worked.as_ref().and_then(|worked| worked.debug.as_deref()), dest)?;
    let packed = if options.pack { upx::pack(binary, dest, options.platform).map(Some) } else { Ok(None) };
    let packed = packed.unwrap_or_else(|error| {
        warnings.push(format!("{} is not compressed with UPX: {error:#}", dest.display()));
        None
    });
    let made = match packed {
        Some(packed) => place_temp(packed, dest)?,
        None => {
            let digest = Digest::of_file(binary)?;
            place_file(binary, digest, dest)?;
            digest
        }
    };
    let record = recipe.record(made, debug);
    atomic::write(&recipe::record_file(dest), record.as_bytes())?;
    Ok(warnings.len() == told)
}

/// Gives the debug information of `dest` its name, or removes that of an earlier binary. Returns its size in bytes.
fn place_debug(made: Option<&Path>, dest: &Path) -> Result<Option<u64>> {
    let file = recipe::debug_file(dest);
    let Some(made) = made else {
        return remove(&file).map(|()| None);
    };
    let size = fs::metadata(made).cannot("read", made)?.len();
    let has_size = fs::metadata(&file).is_ok_and(|found| found.len() == size);
    if !has_size || Digest::of_file(&file)? != Digest::of_file(made)? {
        fs::rename(made, &file).cannot("write", &file)?;
    }
    Ok(Some(size))
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
    place_temp(temp, dest).map(drop)
}

fn place_temp(temp: TempPath, dest: &Path) -> Result<Digest> {
    fs::set_permissions(temp.path(), Permissions::from_mode(MODE)).cannot("make executable", dest)?;
    let digest = Digest::of_file(temp.path())?;
    let sum = sha256sum(dest, digest);
    temp.commit()?;
    atomic::write(&with_suffix(dest, ".sha256"), sum.as_bytes())?;
    Ok(digest)
}

/// Whether `dest` has this content, can be executed, and has its digest beside it.
fn is_placed(dest: &Path, digest: Digest) -> bool {
    has_sum(dest, digest) && Digest::of_file(dest).is_ok_and(|found| found == digest)
}

/// Whether `dest` can be executed and has this digest beside it.
fn has_sum(dest: &Path, digest: Digest) -> bool {
    let is_executable = fs::metadata(dest).is_ok_and(|found| found.permissions().mode() & 0o777 == MODE);
    let sum = fs::read_to_string(with_suffix(dest, ".sha256"));
    is_executable && sum.is_ok_and(|sum| sum == sha256sum(dest, digest))
}

/// A line that `sha256sum --check` understands in the folder of `dest`.
fn sha256sum(dest: &Path, digest: Digest) -> String {
    let name = dest.file_name().unwrap_or_default().to_string_lossy();
    format!("{}  {name}\n", digest.hex())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).cannot("remove", path),
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
