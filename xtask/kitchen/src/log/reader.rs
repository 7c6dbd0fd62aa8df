//! A log that is read while it grows.

use std::io::SeekFrom;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::watch;
use tokio::time::sleep;

/// The most that is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// How long more is waited for, so that many lines become one part: eyes are slower.
const PACE: Duration = Duration::from_millis(10);

/// Reads a log from an offset on, as it grows, until the build has ended.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    offset: u64,
    /// How long it is while the build runs; none for one that has ended.
    length: Option<watch::Receiver<u64>>,
}

/// A part of a log: whole characters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it says.
    pub(crate) text: String,
    /// Where the next one begins, in bytes.
    pub(crate) end: u64,
}

impl Reader {
    /// Opens the log at `path`, to read from `offset` on. `length` says how long it is, of a build that runs.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) async fn open(
        path: &Path,
        offset: u64,
        length: Option<watch::Receiver<u64>>,
    ) -> Result<Reader> {
        let cannot = || format!("cannot read the log {}", path.display());
        let mut file = File::open(path).await.with_context(cannot)?;
        file.seek(SeekFrom::Start(offset)).await.with_context(cannot)?;
        Ok(Reader { file, offset, length })
    }

    /// The next part, as soon as there is one. Nothing at the end of a log that does not grow any more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>> {
        loop {
            if let Some(part) = self.read().await? {
                return Ok(Some(part));
            }
            let Some(length) = &mut self.length else { return Ok(None) };
            let offset = self.offset;
            if length.wait_for(|length| *length > offset).await.is_err() {
                // Nobody writes any more; what was written last is still to be read.
                self.length = None;
            } else {
                sleep(PACE).await;
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Part>> {
        let mut bytes = vec![0; CHUNK];
        let mut read = 0;
        while read < CHUNK {
            match self.file.read(&mut bytes[read..]).await.context("cannot read the log")? {
                0 => break,
                more => read += more,
            }
        }
        bytes.truncate(read);
        let whole = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            // Half of a character at the end is for the next part.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // No log of ours: it is shown all the same.
            Err(_) => bytes.len(),
        };
        let rest = i64::try_from(bytes.len() - whole).unwrap_or_default();
        if rest > 0 {
            self.file.seek(SeekFrom::Current(-rest)).await.context("cannot read the log")?;
        }
        if whole == 0 {
            return Ok(None);
        }
        self.offset += whole as u64;
        let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
        Ok(Some(Part { text, end: self.offset }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Writer;
    use super::*;

    #[tokio::test]
    async fn a_reader_follows_a_log_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        let mut writer = Writer::open(&path, 1 << 30).unwrap();
        let length = writer.length();
        let whole: String = (0..50_000).map(|number| format!("line {number} ä€😀\n")).collect();
        let expected = whole.clone();
        // In parts that break characters.
        let write = std::thread::spawn(move || {
            for part in whole.as_bytes().chunks(777) {
                writer.append(part).unwrap();
            }
        });
        let (mut seen, mut reader) = (String::new(), Reader::open(&path, 0, Some(length)).await.unwrap());
        while let Some(part) = reader.next().await.unwrap() {
            seen.push_str(&part.text);
            assert_eq!(part.end, seen.len() as u64);
        }
        write.join().unwrap();
        assert!(seen == expected);
        let at = expected.find("line 40000").unwrap();
        let mut again = Reader::open(&path, at as u64, None).await.unwrap();
        assert!(again.next().await.unwrap().unwrap().text.starts_with("line 40000 "));
    }
}
