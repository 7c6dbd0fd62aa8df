//! The record of a run for Kitchen, which shows it beside its own builds: a file of JSON lines, first what the run is, then
//! its events, each with its time. The file is locked for as long as the run goes on. A run is what it is without its
//! record: whatever goes wrong here ends the record, and nothing else.

// Kitchen keeps secrets out of its own builds by it, and is too heavy to depend on.
#[path = "../../kitchen/src/run/mask.rs"]
mod mask;

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::Serialize;

use super::event::{Event, VERSION};
use crate::config::is_in_kitchen;
use crate::git;
use crate::platform;
use mask::Mask;

/// How much of a record is lines that steps print, in bytes.
const MAX_OUTPUT: u64 = 64 << 20;
/// How many records wait for a Kitchen that takes them up, and how many bytes they have together.
const MAX_WAITING: (usize, u64) = (100, 256 << 20);

/// The record of a run.
pub(crate) struct Record {
    file: File,
    began: Instant,
    /// Bytes of what steps have printed.
    output: u64,
    /// What the environment has that nobody should read.
    mask: Mask,
    /// Notes the commit.
    commit: Option<JoinHandle<io::Result<()>>>,
}

/// The first line.
#[derive(Serialize)]
struct Header {
    record: u32,
    /// Milliseconds since the Unix epoch.
    started: u64,
    pid: u32,
    /// As [`process_started`] says it.
    pid_started: Option<u64>,
    /// What was typed after `cargo xtask`.
    words: Vec<String>,
}

/// What is built, a line of its own: git is asked while the run goes on, and only the end of that waits for it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Commit {
    revision: Option<String>,
    branch: Option<String>,
    /// Whether there are changes that the commit has not.
    dirty: bool,
}

#[derive(Serialize)]
struct CommitLine {
    commit: Commit,
}

/// A further line. Whoever reads it takes `at` away, and has what is printed for programs.
#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since the run began.
    at: f64,
    v: u32,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

impl Record {
    /// Begins the record of this run. None where no Kitchen was opened in the project at `root`, or one runs this, and reads
    /// its events itself.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn begin(root: &Path) -> Result<Option<Record>> {
        let kitchen = root.join(".kitchen");
        if is_in_kitchen() || !kitchen.join("kitchen.db").is_file() {
            return Ok(None);
        }
        let folder = kitchen.join("spool");
        let cannot = || format!("this run is not recorded for Kitchen: cannot write to {}", folder.display());
        Record::begin_in(&folder, root.to_owned()).map(Some).with_context(cannot)
    }

    fn begin_in(folder: &Path, root: PathBuf) -> io::Result<Record> {
        // Kitchen has closed the folder above to others.
        fs::create_dir_all(folder)?;
        make_room(folder)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (started, pid) = (u64::try_from(since.as_millis()).unwrap_or_default(), std::process::id());
        let path = folder.join(format!("{started:013}-{pid}.jsonl"));
        // Under its name only when it is locked and says what it is: a record that nobody has locked is over.
        let unfinished = path.with_extension("new");
        let file = platform::create_private(&unfinished)?;
        file.lock()?;
        let mask = Mask::of(std::env::vars_os());
        let words =
            std::env::args_os().skip(1).map(|word| without_secrets(&word.to_string_lossy())).collect();
        add(&file, &mask, &Header { record: 1, started, pid, pid_started: process_started(), words })?;
        fs::rename(unfinished, path)?;
        let (shared, masked) = (file.try_clone()?, mask.clone());
        let note = move || add(&shared, &masked, &CommitLine { commit: Commit::of(&root) });
        let commit = Some(std::thread::spawn(note));
        Ok(Record { file, began: Instant::now(), output: 0, mask, commit })
    }

    /// Takes an event.
    ///
    /// # Errors
    /// When the file cannot be written. Then there is nothing more to be done with it.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Output { .. } if self.output > MAX_OUTPUT => return Ok(()),
            Event::Output { line, .. } => self.output += line.len() as u64,
            // Nothing comes after the last one.
            Event::Finished { .. } => drop(self.commit.take().map(JoinHandle::join)),
            _ => {}
        }
        let at = self.began.elapsed().as_millis() as f64 / 1000.0;
        let added = add(&self.file, &self.mask, &Line { at, v: VERSION, event });
        added.context("this run is not recorded to its end for Kitchen")
    }
}

impl Commit {
    /// Asks git.
    fn of(root: &Path) -> Commit {
        let status = git::ask(root, &["status", "--porcelain=v2", "--branch", "--no-ahead-behind"]);
        Commit::from_status(&status.unwrap_or_default())
    }

    fn from_status(status: &str) -> Commit {
        let head =
            |name: &str| status.lines().find_map(|line| line.strip_prefix("# branch.")?.strip_prefix(name));
        // In parentheses, it says that there is none.
        let named = |name: &str| head(name).filter(|text| !text.starts_with('(')).map(str::to_owned);
        let dirty = status.lines().any(|line| !line.starts_with('#'));
        Commit { revision: named("oid "), branch: named("head "), dirty }
    }
}

/// Adds a line without secrets, in one call, so that two threads do not mix theirs, and no half of one is there for longer
/// than a moment.
fn add(mut file: &File, mask: &Mask, line: &impl Serialize) -> io::Result<()> {
    let mut text = mask.apply(serde_json::to_vec(line)?);
    text.push(b'\n');
    file.write_all(&text)
}

/// Removes the oldest records, where no Kitchen has taken them up for long.
fn make_room(folder: &Path) -> io::Result<()> {
    let size = |entry: &DirEntry| entry.metadata().map_or(0, |metadata| metadata.len());
    let entries = fs::read_dir(folder)?.flatten();
    let mut found: Vec<(PathBuf, u64)> = entries.map(|entry| (entry.path(), size(&entry))).collect();
    // Their names begin with the time.
    found.sort();
    let (mut count, mut bytes) = (found.len(), found.iter().map(|(_, size)| size).sum::<u64>());
    for (path, size) in found {
        if count < MAX_WAITING.0 && bytes <= MAX_WAITING.1 {
            break;
        }
        match fs::remove_file(path) {
            // Another run makes room as well.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed?,
        }
        (count, bytes) = (count - 1, bytes - size);
    }
    Ok(())
}

/// When this process started, in ticks since the machine did, as Kitchen reads it of others: field 22 of
/// [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). None on systems without `/proc`.
fn process_started() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// A word without what nobody should read: the values of keys that say that they are secrets, and who logs in at a URL.
fn without_secrets(word: &str) -> String {
    let is_secret = |key: &str| {
        ["password", "secret", "token", "key"].iter().any(|end| key.to_lowercase().ends_with(end))
    };
    let hidden = |part: &str| {
        if let Some((at, _)) = part.match_indices('=').find(|(at, _)| is_secret(&part[..*at])) {
            return format!("{}=***", &part[..at]);
        }
        let login =
            part.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)));
        login.map_or_else(|| part.to_owned(), |(scheme, host)| format!("{scheme}://***@{host}"))
    };
    word.split(',').map(hidden).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_recorded() {
        for (word, kept) in [
            ("--tag=next", "--tag=next"),
            ("--secret=id=npm,src=/a/b", "--secret=***,src=/a/b"),
            ("type=s3,access_key_id=A,secret_access_key=B", "type=s3,access_key_id=A,secret_access_key=***"),
            ("--image=https://me:pass@example.org/a", "--image=https://***@example.org/a"),
            ("linux/amd64,linux/arm64", "linux/amd64,linux/arm64"),
        ] {
            assert_eq!(without_secrets(word), kept);
        }
    }

    #[test]
    fn git_says_what_is_built() {
        let text = |text: &str| Some(text.to_owned());
        let clean = "# branch.oid 0123abcd\n# branch.head a/b\n# branch.upstream origin/a/b\n";
        let commit = Commit { revision: text("0123abcd"), branch: text("a/b"), dirty: false };
        assert_eq!(Commit::from_status(clean), commit);
        let changed = format!("{clean}? new.rs\n");
        assert_eq!(Commit::from_status(&changed), Commit { dirty: true, ..commit });
        let none = Commit { revision: None, branch: None, dirty: false };
        assert_eq!(Commit::from_status("# branch.oid (initial)\n# branch.head (detached)\n"), none);
        assert_eq!(Commit::from_status(""), none);
    }

    #[test]
    fn records_that_nobody_takes_up_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..150 {
            fs::write(folder.path().join(format!("{number:013}-1.jsonl")), "{}").unwrap();
        }
        let big = File::create(folder.path().join("0000000000140-2.jsonl")).unwrap();
        big.set_len(MAX_WAITING.1).unwrap();
        make_room(folder.path()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left[0], "0000000000141-1.jsonl", "{left:?}");
    }
}
