//! What is done to a binary before it is placed, and the record by which the next run knows that it is done already.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Result, anyhow};

use super::{Options, with_suffix};
use crate::digest::Digest;
use crate::elf::sections::Sections;
use crate::error::PathContext as _;
use crate::proof::audit;
use crate::proof::debug::{self, Objcopy, Work, Worked};

/// Part of every record. To be raised when the same input is made into something else than before.
const GENERATION: u32 = 1;

/// What is done to one binary.
#[derive(Debug)]
pub(super) struct Recipe<'a> {
    src: &'a Path,
    digest: Digest,
    options: &'a Options<'a>,
    /// Whether its debug information goes to a file of its own.
    split: bool,
}

impl<'a> Recipe<'a> {
    /// What `options` ask for, as far as the binary lets it be done. What cannot be done is told.
    pub(super) fn new(
        src: &'a Path,
        digest: Digest,
        options: &'a Options<'a>,
        tell: &mut Vec<String>,
    ) -> Result<Recipe<'a>> {
        let mut file = File::open(src).cannot("open", src)?;
        let sections = Sections::read(&mut file).cannot("read", src)?;
        let mut split = sections.have_debug_info() && !options.keep_symbols;
        if split && sections.build_id(&mut file).cannot("read", src)?.is_none() {
            split = false;
            tell.push(format!(
                "{} keeps its debug information: it has no build id, by which a debugger would find it elsewhere; link \
                 it with `-C link-arg=-Wl,--build-id=sha1`",
                src.display()
            ));
        }
        Ok(Recipe { src, digest, options, split })
    }

    /// Whether the binary is placed as the compiler wrote it.
    pub(super) fn is_copy(&self) -> bool {
        !self.options.pack && !self.needs_objcopy()
    }

    fn needs_objcopy(&self) -> bool {
        self.split || self.options.packages.is_some()
    }

    /// Works on the binary, if there is anything to be done and something to do it with.
    pub(super) fn work(&self, dest: &Path, tell: &mut Vec<String>) -> Result<Option<Worked>> {
        if !self.needs_objcopy() {
            return Ok(None);
        }
        // Reading the metadata takes as long as asking the compiler.
        let (packages, objcopy) = thread::scope(|scope| {
            let packages = scope.spawn(|| self.packages());
            let objcopy = Objcopy::find(self.options.platform);
            (packages.join().unwrap_or_else(|_| Err(anyhow!("cannot read the list of packages"))), objcopy)
        });
        let packages = packages?;
        let Some(objcopy) = objcopy else {
            tell.push(self.without_objcopy(dest));
            return Ok(None);
        };
        let work = Work { packages: packages.as_deref(), split: self.split };
        debug::work(&objcopy, self.src, dest, work).map(Some)
    }

    fn packages(&self) -> Result<Option<Vec<u8>>> {
        let Some(from) = &self.options.packages else {
            return Ok(None);
        };
        audit::encode(&audit::packages(from.metadata, from.root)?).map(Some)
    }

    fn without_objcopy(&self, dest: &Path) -> String {
        let lost = match (self.options.packages.is_some(), self.split) {
            (true, true) => "has no list of its packages and keeps its debug information",
            (true, false) => "has no list of its packages",
            _ => "keeps its debug information",
        };
        format!(
            "{} {lost}: there is no objcopy; rustup's toolchains bring one, otherwise `apt install llvm`",
            dest.display()
        )
    }

    /// What the record of `dest` says once everything is done.
    pub(super) fn record(&self, made: Digest, debug: Option<u64>) -> String {
        let packages = self.options.packages.as_ref().map_or_else(
            || "no list of packages".to_owned(),
            |from| format!("the list of packages of {} in {}", from.root, Digest::of(from.metadata).hex()),
        );
        let debug = debug.map_or_else(
            || "no debug information split off".to_owned(),
            |size| format!("{size} bytes of debug information split off"),
        );
        let packed = if self.options.pack { "packed by UPX" } else { "not packed" };
        let (made, src) = (made.hex(), self.digest.hex());
        format!("{GENERATION}: {made} made of {src}: {packages}, {debug}, {packed}\n")
    }

    /// Whether `dest`, which has the digest `found`, is what comes out of this recipe, with all that is beside it.
    pub(super) fn is_done(&self, dest: &Path, found: Digest) -> bool {
        let debug = fs::metadata(debug_file(dest)).ok().map(|file| file.len());
        debug.is_some() == self.split
            && fs::read_to_string(record_file(dest)).is_ok_and(|text| text == self.record(found, debug))
    }
}

/// The file with the debug information of `dest`.
pub(super) fn debug_file(dest: &Path) -> PathBuf {
    with_suffix(dest, debug::SUFFIX)
}

/// The file that remembers what `dest` was made of, so that the same is not made twice.
pub(super) fn record_file(dest: &Path) -> PathBuf {
    with_suffix(dest, ".made")
}
