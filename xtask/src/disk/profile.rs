//! The folder of a cargo profile, such as `target/debug`, in the
//! [layout](https://github.com/rust-lang/cargo/blob/master/src/cargo/core/compiler/layout.rs) that cargo has given it since
//! 2017: what belongs to one compiled unit ends with the same hash, wherever it is.

use std::collections::{BTreeMap, HashMap};
use std::env::consts::{EXE_EXTENSION, EXE_SUFFIX};
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::measure::{self, Measure};
use super::scan::{Scanner, groups};
use super::{Content, Item};
use crate::platform::{self, FileId};

/// What makes a folder that of a profile, and has to go first of all that a unit is.
pub(super) const FINGERPRINTS: &str = ".fingerprint";

/// How fingerprints of programs begin, but for those of build scripts.
const PROGRAMS: [&[u8]; 4] = [b"bin-", b"test-", b"bench-", b"example-"];

/// What cargo compiled in one go.
#[derive(Default)]
struct Unit {
    fingerprint: Option<(PathBuf, Measure)>,
    others: Vec<(PathBuf, Measure)>,
    is_program: bool,
    is_build_script: bool,
    stays: bool,
}

/// The units of a profile, by their hash.
#[derive(Default)]
struct Units {
    by_hash: BTreeMap<String, Unit>,
    /// Which unit a file with several names is of.
    by_id: HashMap<FileId, String>,
}

/// Adds what is in the profile at `path`, which is at `place` in the target folder. Where `has_artifacts` is set, cargo
/// shares the folder with the pipeline's finished binaries.
pub(super) fn scan(scanner: &mut Scanner, path: &Path, place: &str, has_artifacts: bool) {
    let is_free = scanner.lock_profile(path, place);
    let first = scanner.found.items.len();
    let mut units = Units::default();
    units.fingerprints(scanner, path);
    for folder in ["build", "deps", "examples"] {
        let mut loose = Vec::new();
        for entry in list(scanner, &path.join(folder)) {
            match hash_of(&entry.file_name()) {
                Some(hash) => units.add(scanner, &entry, hash, folder),
                None => loose.push(entry),
            }
        }
        let content = if folder == "build" { Content::BuildScripts } else { Content::Programs };
        units.linked(scanner, loose, place, content, false);
    }
    for entry in list(scanner, &path.join("incremental")) {
        scanner.add(place, Content::Incremental, vec![entry.path()], false);
    }
    let known = [FINGERPRINTS, "build", "deps", "examples", "incremental"];
    let is_known = |entry: &DirEntry| known.iter().any(|name| entry.file_name() == *name);
    let loose = scanner.meter.list(path).into_iter().filter(|entry| !is_known(entry)).collect();
    let content = if has_artifacts { Content::Files } else { Content::Programs };
    units.linked(scanner, loose, place, content, has_artifacts);
    scanner.found.items.extend(units.by_hash.into_values().map(|unit| unit.item(place)));
    scanner.found.items[first..].iter_mut().for_each(|item| item.stays |= !is_free);
}

impl Units {
    fn fingerprints(&mut self, scanner: &mut Scanner, path: &Path) {
        let own_folder = path == scanner.programs.folder;
        for entry in list(scanner, &path.join(FINGERPRINTS)) {
            let (name, path) = (entry.file_name(), entry.path());
            // Without a hash it is not from cargo.
            let Some(hash) = hash_of(&name) else { continue };
            let mut measure = scanner.meter.measure(&path);
            let files = list(scanner, &path);
            let used = files.iter().map(|file| scanner.meter.measure(&file.path()).last_used).max();
            // The folder's own time changes when something is removed from it.
            measure.last_used = used.unwrap_or(measure.last_used);
            let is_program = |file: &DirEntry| {
                PROGRAMS.iter().any(|prefix| file.file_name().as_encoded_bytes().starts_with(prefix))
            };
            let unit = self.by_hash.entry(hash).or_default();
            unit.is_program = files.iter().any(is_program);
            unit.fingerprint = Some((path, measure));
            unit.stays = own_folder && unit.is_program && scanner.programs.may_be(&name);
        }
    }

    fn add(&mut self, scanner: &mut Scanner, entry: &DirEntry, hash: String, folder: &str) {
        let path = entry.path();
        if let Ok(metadata) = fs::symlink_metadata(&path)
            && !metadata.is_dir()
        {
            let facts = platform::file_facts(&path, &metadata);
            if facts.names > 1 {
                self.by_id.insert(facts.id, hash.clone());
            }
        }
        let measure = scanner.meter.measure(&path);
        let unit = self.by_hash.entry(hash).or_default();
        unit.is_build_script |= folder == "build";
        // What a program is without its fingerprint shows by its extension.
        unit.is_program |= unit.fingerprint.is_none() && folder == "deps" && has_extension_of_program(&path);
        unit.others.push((path, measure));
    }

    /// Adds files without a hash. Cargo links finished programs and libraries from `deps/` to where people look for them:
    /// those belong to their unit, with the files beside them. All others cannot be told from what somebody put there; they
    /// stay, unless `may_go`.
    fn linked(
        &mut self,
        scanner: &mut Scanner,
        loose: Vec<DirEntry>,
        place: &str,
        content: Content,
        may_go: bool,
    ) {
        for (name, paths) in groups(loose) {
            let hash = paths.iter().find_map(|path| self.by_id.get(&id_of(path)?).cloned());
            let unit = hash.and_then(|hash| self.by_hash.get_mut(&hash));
            if let Some(unit) = unit {
                unit.stays |= paths.iter().any(|path| scanner.programs.is_one(path));
                unit.others.extend(paths.into_iter().map(|path| {
                    let measure = scanner.meter.measure(&path);
                    (path, measure)
                }));
            } else {
                scanner.add(place, content, paths, !may_go || name.as_encoded_bytes().starts_with(b"."));
            }
        }
    }
}

impl Unit {
    fn item(self, place: &str) -> Item {
        let content = match (self.is_build_script, self.is_program) {
            (true, _) => Content::BuildScripts,
            (false, true) => Content::Programs,
            (false, false) => Content::Dependencies,
        };
        let all = self.fingerprint.iter().chain(&self.others).map(|(_, measure)| *measure);
        let all = all.fold(Measure::NOTHING, Measure::and);
        let last_used = self.fingerprint.as_ref().map_or(all.last_used, |(_, measure)| measure.last_used);
        let paths = self.fingerprint.into_iter().chain(self.others).map(|(path, _)| path).collect();
        Item { place: place.to_owned(), content, paths, size: all.size, last_used, stays: self.stays }
    }
}

fn id_of(path: &Path) -> Option<FileId> {
    Some(platform::file_facts(path, &fs::symlink_metadata(path).ok()?).id)
}

/// On Unix, that is none.
fn has_extension_of_program(path: &Path) -> bool {
    path.extension().unwrap_or_default() == EXE_EXTENSION
}

/// The entries of a folder that is one, and not a link to one.
fn list(scanner: &mut Scanner, folder: &Path) -> Vec<DirEntry> {
    if measure::is_folder(folder) { scanner.meter.list(folder) } else { vec![] }
}

/// The hash in `libserde-0123456789abcdef.rlib`, or in the name of a folder.
fn hash_of(name: &OsStr) -> Option<String> {
    let stem = name.to_str()?.split('.').next()?;
    let (_, hash) = stem.rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hash.then(|| hash.to_owned())
}

/// The programs that have to survive: this one, and the engine beside it.
pub(super) struct Programs {
    /// The folder that they were built into.
    folder: PathBuf,
    ids: Vec<FileId>,
}

/// Their names.
const OWN: [&str; 2] = ["xtask", "xtask-oci"];

/// The file of one of them.
fn program(name: &str) -> String {
    format!("{name}{EXE_SUFFIX}")
}

impl Programs {
    /// Those in `folder`.
    pub(super) fn at(folder: &Path) -> Programs {
        let ids = OWN.iter().filter_map(|name| id_of(&folder.join(program(name)))).collect();
        Programs { folder: platform::canonical(folder).unwrap_or_else(|_| folder.to_owned()), ids }
    }

    fn is_one(&self, path: &Path) -> bool {
        id_of(path).is_some_and(|id| self.ids.contains(&id))
    }

    /// Whether a fingerprint of this name may be that of one of them, where files cannot have two names and so do not tell.
    fn may_be(&self, fingerprint: &OsStr) -> bool {
        let is_linked = |name: &str| {
            let path = self.folder.join(program(name));
            fs::symlink_metadata(&path).is_ok_and(|found| platform::file_facts(&path, &found).names > 1)
        };
        let name = fingerprint.to_str().and_then(|name| name.rsplit_once('-'));
        name.is_some_and(|(name, _)| OWN.contains(&name) && !is_linked(name))
    }
}
