//! The files that are watched: looked at again and again, since every system can do that.
//!
//! A look asks for the time and size of each file and of the folders around them: a millisecond for 500 files.
//! Only a file that has another time is read, and git is asked for the list only where a folder has, or after
//! [`LIST_AGE`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::changes::Change;
use crate::git;

/// How long the list is good for where no folder has changed: what is ignored may have.
const LIST_AGE: Duration = Duration::from_secs(5);
/// Files that are larger are known by time and size alone, in bytes.
const LARGE: u64 = 8 << 20;

/// The files of a workspace, and what was in them at the last look.
pub(super) struct Files {
    root: PathBuf,
    /// Whether git says which they are.
    by_git: bool,
    seen: BTreeMap<PathBuf, Option<Seen>>,
    folders: BTreeMap<PathBuf, Option<SystemTime>>,
    listed: Instant,
}

/// A file at the last look.
#[derive(Clone, Copy)]
struct Seen {
    modified: Option<SystemTime>,
    size: u64,
    content: u64,
}

impl Files {
    /// Those below `root` that git knows or would add; without git, all that are not in hidden folders, in cargo's, or
    /// named in `.gitignore`.
    pub(super) fn new(root: &Path, now: Instant) -> Files {
        let mut files = Files {
            root: root.to_owned(),
            by_git: git::files(root).is_some(),
            seen: BTreeMap::new(),
            folders: BTreeMap::new(),
            listed: now,
        };
        files.renew_list(now);
        files.look_at_files();
        files
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.seen.values().flatten().count()
    }

    /// What has changed since the last look.
    pub(super) fn look(&mut self, now: Instant) -> Vec<Change> {
        let is_old = now.duration_since(self.listed) >= LIST_AGE;
        let mut gone = Vec::new();
        if is_old || self.folders.iter().any(|(folder, time)| modified(&self.root.join(folder)) != *time) {
            gone = self.renew_list(now);
        }
        let mut changes = self.look_at_files();
        changes.extend(gone);
        changes
    }

    /// Lists the files again. One that is listed no more is as good as gone.
    fn renew_list(&mut self, now: Instant) -> Vec<Change> {
        self.listed = now;
        // Where git fails for once, as while its index is written anew, the list stays.
        let listed = if self.by_git { git::files(&self.root) } else { Some(listed_by_hand(&self.root)) };
        let Some(listed) = listed else { return Vec::new() };
        let folders = listed.iter().flat_map(|path| path.ancestors().skip(1)).collect::<BTreeSet<_>>();
        let time = |folder: &Path| (folder.to_owned(), modified(&self.root.join(folder)));
        self.folders = folders.into_iter().map(time).collect();
        let gone = self.seen.iter().filter(|(path, _)| !listed.contains(*path));
        let gone = gone.filter_map(|(path, seen)| {
            Some(Change { path: path.clone(), before: Some((*seen)?.content), after: None })
        });
        let gone = gone.collect();
        let seen = |path: PathBuf| {
            let seen = self.seen.remove(&path).flatten();
            (path, seen)
        };
        self.seen = listed.into_iter().map(seen).collect();
        gone
    }

    fn look_at_files(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, seen) in &mut self.seen {
            let before = *seen;
            *seen = look_at(&self.root.join(path), before);
            let content = |seen: Option<Seen>| seen.map(|seen| seen.content);
            if content(before) != content(*seen) {
                changes.push(Change { path: path.clone(), before: content(before), after: content(*seen) });
            }
        }
        changes
    }
}

fn look_at(path: &Path, before: Option<Seen>) -> Option<Seen> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let (modified, size) = (metadata.modified().ok(), metadata.len());
    if let Some(before) = before.filter(|before| before.modified == modified && before.size == size) {
        return Some(before);
    }
    let by_time = || {
        let time = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        time.map_or(0, |time| time.as_nanos() as u64) ^ size
    };
    let content = if size > LARGE { by_time() } else { digest(path).unwrap_or_else(|_| by_time()) };
    Some(Seen { modified, size, content })
}

fn digest(path: &Path) -> io::Result<u64> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok(hasher.finish())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Of `.gitignore`, only names without patterns are heeded: enough for cargo's folder and the service's data.
fn listed_by_hand(root: &Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let ignored = text.lines().map(|line| root.join(line.trim().trim_matches('/'))).collect::<BTreeSet<_>>();
    let mut listed = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            let is_folder = kind.is_ok_and(|kind| kind.is_dir());
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if ignored.contains(&path) || (is_folder && (is_hidden || path.join("CACHEDIR.TAG").exists())) {
                continue;
            }
            if is_folder {
                folders.push(path);
            } else if let Ok(path) = path.strip_prefix(root) {
                listed.insert(path.to_owned());
            }
        }
    }
    listed
}
