//! What a build prints, on its way into log, events and history.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::mpsc::{self, Sender};

use super::mask::Mask;
use crate::build::event::Event;
use crate::log::{self, Writer};
use crate::store::{End, Store};

/// The longest line that is kept whole, in bytes; a longer one goes on in the next.
const LONGEST_LINE: usize = 1 << 20;

/// How many lines may wait. Then the build waits: it is never faster than the disk.
const WAITING: usize = 256;

/// One line of a build, with its end if it had one.
enum Said {
    /// On standard output: an event.
    Event(Vec<u8>),
    /// On standard error: by cargo, before the pipeline's front has begun.
    Other(Vec<u8>),
}

/// Where lines go.
#[derive(Debug)]
pub(crate) struct Feed {
    /// The build.
    pub(crate) build: i64,
    /// For people.
    pub(crate) log: Writer,
    /// For programs: the events as they came.
    pub(crate) events: File,
    /// For pages.
    pub(crate) store: Store,
    /// What none of them is to have.
    pub(crate) mask: Mask,
    /// What the build has said of its end.
    pub(crate) end: End,
    /// How many crates of each step that runs were there already: hundreds of events in a moment, when little is compiled.
    pub(crate) fresh: HashMap<String, i64>,
}

impl Feed {
    /// Takes all that a build prints that began just now, until nobody can print any more.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(super) async fn take(
        &mut self,
        events: impl AsyncRead + Unpin + Send + 'static,
        others: impl AsyncRead + Unpin + Send + 'static,
    ) -> Result<()> {
        let began = Instant::now();
        let (sender, mut receiver) = mpsc::channel(WAITING);
        tokio::spawn(send(BufReader::new(events), sender.clone(), Said::Event));
        tokio::spawn(send(BufReader::new(others), sender, Said::Other));
        while let Some(said) = receiver.recv().await {
            match said {
                Said::Other(line) => self.append(&self.mask.apply(line))?,
                Said::Event(line) => self.event(line, began.elapsed().as_secs_f64()).await?,
            }
        }
        Ok(())
    }

    /// Takes a line that is an event, or else text, `seconds` after the build began.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(crate) async fn event(&mut self, line: Vec<u8>, seconds: f64) -> Result<()> {
        let line = self.mask.apply(line);
        let Some(event) = Event::parse(&line) else { return self.append(&line) };
        self.events.write_all(&line).context("cannot write the events")?;
        if let Some(text) = log::of_event(&event) {
            self.log.append(text.as_bytes())?;
        }
        match &event {
            Event::Crate { step, fresh: true, .. } => *self.fresh.entry(step.clone()).or_default() += 1,
            Event::StepFinished { step, .. } => {
                if let Some(count) = self.fresh.remove(step) {
                    self.store.add_fresh(self.build, step, count).await?;
                }
                self.store.keep(self.build, seconds, &event).await?;
            }
            _ => self.store.keep(self.build, seconds, &event).await?,
        }
        note(&mut self.end, event);
        Ok(())
    }

    /// A log is text: what is not becomes U+FFFD, as it does in events.
    pub(crate) fn append(&mut self, line: &[u8]) -> Result<()> {
        self.log.append(String::from_utf8_lossy(line).as_bytes())
    }
}

fn note(end: &mut End, event: Event) {
    match event {
        Event::Error { message } => end.error = Some(message),
        Event::Finished { exit_code, failed } => {
            end.exit_code = Some(exit_code);
            end.failed_step = failed;
        }
        _ => {}
    }
}

async fn send(mut stream: impl AsyncBufRead + Unpin, sender: Sender<Said>, said: fn(Vec<u8>) -> Said) {
    while let Ok(Some(line)) = next_line(&mut stream).await {
        if sender.send(said(line)).await.is_err() {
            return;
        }
    }
}

/// The next line with its end; nothing at the end of the stream. A last line gets the end that it has not.
async fn next_line(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let bytes = stream.fill_buf().await?;
        let (taken, is_whole) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (bytes.len(), false),
        };
        let is_over = taken == 0;
        line.extend_from_slice(&bytes[..taken]);
        stream.consume(taken);
        if is_whole {
            return Ok(Some(line));
        }
        if is_over && line.is_empty() {
            return Ok(None);
        }
        if is_over || line.len() >= LONGEST_LINE {
            line.push(b'\n');
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_whole_and_of_bounded_length() {
        let long = vec![b'x'; LONGEST_LINE + 10];
        let text = [b"one\n\nlast \xff\n".as_slice(), &long].concat();
        let mut stream = BufReader::new(text.as_slice());
        let mut lengths = Vec::new();
        while let Some(line) = next_line(&mut stream).await.unwrap() {
            assert_eq!(line.last(), Some(&b'\n'));
            lengths.push(line.len());
        }
        assert_eq!(lengths[..3], [4, 1, 7]);
        assert!(lengths[3..].iter().all(|length| *length <= LONGEST_LINE + 8 * 1024 + 1), "{lengths:?}");
        assert_eq!(lengths[3..].iter().map(|length| length - 1).sum::<usize>(), long.len());
    }
}
