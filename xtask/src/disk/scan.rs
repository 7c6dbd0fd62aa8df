//! What is in a target folder.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::lock::{self, Locking};
use super::measure::{Measure, Meter, is_folder};
use super::profile::{self, Programs};
use super::{Content, Failure, Found, Item};
use crate::platform;

/// How far below the target folder profiles are looked for: `verify/x86_64-unknown-linux-musl/release`.
const DEPTH: usize = 3;

/// Looks at all that is in the target folder at `root`, which need not exist. `bin_dir` has the programs that have to
/// survive. As far as `locking` says, no build begins there until the answer is dropped.
pub(crate) fn scan(root: &Path, bin_dir: &Path, locking: Locking) -> Found {
    // Only here is a link followed: the folder that was asked for may be one.
    let root = platform::canonical(root).unwrap_or_else(|_| root.to_owned());
    let mut scanner = Scanner {
        meter: Meter::default(),
        programs: Programs::at(bin_dir),
        locking,
        is_free: true,
        found: Found { root: root.clone(), ..Found::default() },
    };
    if is_folder(&root) {
        let lock = lock::pipeline(&root, locking);
        scanner.is_free = scanner.keep(lock, &root, ".");
        scanner.target(&root, "", 0);
    }
    let Scanner { meter, mut found, .. } = scanner;
    found.failures.extend(meter.failures);
    found
}

/// What is known while a target folder is looked at.
pub(super) struct Scanner {
    pub(super) meter: Meter,
    pub(super) programs: Programs,
    pub(super) found: Found,
    locking: Locking,
    /// Whether no run of the pipeline uses the folder.
    is_free: bool,
}

impl Scanner {
    /// Adds an item.
    pub(super) fn add(&mut self, place: &str, content: Content, paths: Vec<PathBuf>, stays: bool) {
        let measures = paths.iter().map(|path| self.meter.measure(path)).collect::<Vec<_>>();
        let Measure { size, last_used } = measures.into_iter().fold(Measure::NOTHING, Measure::and);
        let stays = stays || !self.is_free;
        self.found.items.push(Item { place: place.to_owned(), content, paths, size, last_used, stays });
    }

    /// Takes cargo's lock of a profile. Where that fails, a build uses it.
    pub(super) fn lock_profile(&mut self, path: &Path, place: &str) -> bool {
        let lock = lock::profile(path, self.locking);
        self.keep(lock, path, place) && self.is_free
    }

    fn keep(&mut self, lock: std::io::Result<Option<Vec<fs::File>>>, path: &Path, place: &str) -> bool {
        match lock {
            Ok(Some(files)) => {
                self.found._locks.extend(files);
                return true;
            }
            Ok(None) => self.found.in_use.push(place.to_owned()),
            Err(error) => self.found.failures.push(Failure { path: path.to_owned(), error }),
        }
        false
    }

    /// A target folder, or that of one target in it, which is at `place`.
    fn target(&mut self, path: &Path, place: &str, depth: usize) {
        for entry in self.meter.list(path) {
            let (name, path) = (entry.file_name(), entry.path());
            let within = join(place, &name);
            if !is_folder(&path) {
                self.add(
                    if place.is_empty() { "." } else { place },
                    Content::Files,
                    vec![path],
                    is_fixed(&entry),
                );
            } else if is_profile(&path) {
                profile::scan(self, &path, &within, matches!(&*within, "dist" | "verify/dist"));
            } else if depth + 1 < DEPTH && has_profiles(&path, DEPTH - depth - 1) {
                self.target(&path, &within, depth + 1);
            } else if name == "images" {
                self.images(&path, &within);
            } else {
                self.files(&path, &within);
            }
        }
    }

    /// Images, beside the layers that the engine keeps.
    fn images(&mut self, path: &Path, place: &str) {
        let (cache, images): (Vec<_>, Vec<_>) = self
            .meter
            .list(path)
            .into_iter()
            .partition(|entry| entry.file_name() == "cache" && is_folder(&entry.path()));
        for (_, paths) in groups(images) {
            self.add(place, Content::Files, paths, false);
        }
        // One folder for each compression, with a file for each layer.
        for cache in cache {
            let place = join(place, &cache.file_name());
            for folder in self.meter.list(&cache.path()) {
                let path = folder.path();
                let layers = if is_folder(&path) { self.meter.list(&path) } else { vec![folder] };
                for layer in layers {
                    self.add(&place, Content::Files, vec![layer.path()], false);
                }
            }
        }
    }

    /// A folder with files of which nothing more is known.
    fn files(&mut self, path: &Path, place: &str) {
        for (_, paths) in groups(self.meter.list(path)) {
            self.add(place, Content::Files, paths, false);
        }
    }
}

/// Files that belong together: all whose names are the same up to the first dot, as `app`, `app.sha256` and `app.made`.
pub(super) fn groups(entries: Vec<DirEntry>) -> impl Iterator<Item = (OsString, Vec<PathBuf>)> {
    let mut groups = BTreeMap::<OsString, Vec<PathBuf>>::new();
    for entry in entries {
        let path = entry.path();
        let name = path.file_prefix().unwrap_or_default().to_owned();
        groups.entry(name).or_default().push(path);
    }
    groups.into_iter()
}

/// Whether a file belongs to the target folder itself: marks and locks, and what is no ordinary file.
fn is_fixed(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".")
        || bytes.ends_with(b".lock")
        || name == "CACHEDIR.TAG"
        || !entry.file_type().is_ok_and(|kind| kind.is_file())
}

/// Whether there is a profile at most `depth` folders below `path`. What cannot be read is found out later.
fn has_profiles(path: &Path, depth: usize) -> bool {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| is_folder(path)).collect::<Vec<_>>();
    folders.iter().any(|folder| is_profile(folder))
        || (depth > 1 && folders.iter().any(|folder| has_profiles(folder, depth - 1)))
}

fn is_profile(path: &Path) -> bool {
    is_folder(&path.join(profile::FINGERPRINTS))
}

fn join(place: &str, name: &OsStr) -> String {
    let name = name.to_string_lossy();
    if place.is_empty() { name.into_owned() } else { format!("{place}/{name}") }
}
