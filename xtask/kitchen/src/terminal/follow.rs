//! One record, from its first line to its last.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use super::record::{Header, Line};
use crate::build::Status;
use crate::run::{Feed, is_alive};
use crate::store::{End, Leader};

/// The longest line that is taken, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// How much is read before others have their turn, in bytes.
const MOST: usize = 8 << 20;
/// The exit codes of a run that was asked to end: 128 and the number of SIGHUP, SIGINT or SIGTERM.
const ENDED: [i64; 3] = [129, 130, 143];

/// The lines of a record that may still grow.
#[derive(Debug)]
pub(super) struct Lines {
    file: File,
    /// What was read of a line whose end was not.
    rest: Vec<u8>,
    /// Whether that line is too long, and is left out to its end.
    is_too_long: bool,
}

/// A record that is followed.
#[derive(Debug)]
pub(super) struct Follower {
    lines: Lines,
    feed: Feed,
    leader: Option<Leader>,
    /// Milliseconds since the Unix epoch.
    started: i64,
    /// When the last event was, in seconds since.
    at: f64,
    pub(super) is_killed: Arc<AtomicBool>,
}

impl Lines {
    /// Opens a record. None for what is no file, or is gone.
    pub(super) fn open(path: &Path) -> Option<Lines> {
        // A link would lead elsewhere, and a pipe would have us wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(open(path, flags, Mode::empty()).ok()?);
        file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Lines { file, rest: Vec::new(), is_too_long: false })
    }

    /// Whether whoever wrote it has let go of it.
    pub(super) fn is_let_go(&self) -> bool {
        let is_free = flock(&self.file, FlockOperation::NonBlockingLockShared).is_ok();
        if is_free {
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
        is_free
    }

    /// The first line, if it is there already.
    pub(super) fn first(&mut self) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\n") && bytes.len() < LONGEST_LINE {
            let mut byte = [0];
            if self.file.read(&mut byte).context("cannot read the record")? == 0 {
                return Ok(None);
            }
            bytes.push(byte[0]);
        }
        Ok(Some(bytes))
    }

    /// The lines that are new, and whether that is all that there is now. One that is too long is left out.
    fn next(&mut self) -> Result<(Vec<Vec<u8>>, bool)> {
        let mut chunk = Vec::new();
        let read = self.file.by_ref().take(MOST as u64).read_to_end(&mut chunk);
        let is_all = read.context("cannot read the record")? < MOST;
        let mut lines = Vec::new();
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            if !self.is_too_long {
                self.rest.extend_from_slice(part);
            }
            if self.rest.len() > LONGEST_LINE {
                self.rest.clear();
                self.is_too_long = true;
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                lines.extend((!std::mem::take(&mut self.is_too_long)).then_some(line));
            }
        }
        Ok((lines, is_all))
    }
}

impl Follower {
    /// Follows `lines`, of which the first was `header`.
    pub(super) fn new(lines: Lines, header: &Header, feed: Feed) -> Follower {
        let (leader, started) = (header.leader(), header.started);
        Follower { lines, feed, leader, started, at: 0.0, is_killed: Arc::default() }
    }

    /// Takes what is new. At the end of the build, gives how and when that was.
    ///
    /// # Errors
    /// When it cannot be read or kept.
    pub(super) async fn look(&mut self) -> Result<Option<(Status, End, i64)>> {
        // Whoever is gone now writes nothing more after this. A file system without locks has none to hold.
        let is_gone = self.lines.is_let_go() && !self.leader.is_some_and(is_alive);
        loop {
            let (lines, is_all) = self.lines.next()?;
            for line in lines {
                self.take(&line).await?;
            }
            if is_all {
                break;
            }
        }
        let is_over = is_gone || self.feed.end.exit_code.is_some();
        Ok(is_over.then(|| self.end()))
    }

    async fn take(&mut self, line: &[u8]) -> Result<()> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match Line::parse(line) {
            Line::Commit(commit) => self.feed.store.note_commit(self.feed.build, &commit).await,
            Line::Event(at, mut event) => {
                self.at = self.at.max(at);
                event.push(b'\n');
                self.feed.event(event, at).await
            }
            // Half of a line that nobody has finished, or nothing that we know.
            Line::Other(_) => Ok(()),
        }
    }

    fn end(&self) -> (Status, End, i64) {
        let end = self.feed.end.clone();
        let was_asked = || self.is_killed.load(Ordering::Relaxed);
        let status = match end.exit_code {
            Some(0) => Status::Done,
            Some(code) if end.failed_step.is_none() && ENDED.contains(&code) => Status::Killed,
            Some(_) => Status::Failed,
            None if was_asked() => Status::Killed,
            // What goes wrong before or after the steps is all that such a run says of its end.
            None if end.error.is_some() => Status::Failed,
            None => Status::Interrupted,
        };
        // However long a record says that it took.
        let took = (self.at.min(1e9) * 1000.0) as i64;
        (status, end, self.started.saturating_add(took))
    }
}
