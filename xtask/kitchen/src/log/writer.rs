//! The file of one log, while it grows.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::sync::watch;

use crate::place::private;

/// Appends to a log, and says how long it is.
#[derive(Debug)]
pub(crate) struct Writer {
    file: File,
    length: watch::Sender<u64>,
    limit: u64,
    is_full: bool,
}

impl Writer {
    /// Opens the log at `path`, to append to it up to `limit` bytes.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn open(path: &Path, limit: u64) -> Result<Writer> {
        let open = || {
            let mut file = private(path)?;
            let length = file.seek(SeekFrom::End(0))?;
            Ok::<_, std::io::Error>((file, length))
        };
        let (file, length) = open().with_context(|| format!("cannot open the log {}", path.display()))?;
        Ok(Writer { file, length: watch::Sender::new(length), limit, is_full: false })
    }

    /// How many bytes there are, now and from now on.
    pub(crate) fn length(&self) -> watch::Receiver<u64> {
        self.length.subscribe()
    }

    /// Appends `bytes`; none of them, and once a line that says so, where that is more than fits.
    ///
    /// # Errors
    /// When the disk is full, or the file gone.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let length = *self.length.borrow();
        if self.is_full {
            return Ok(());
        }
        self.is_full = length + bytes.len() as u64 > self.limit;
        let note =
            format!("kitchen: what follows is left out, since a log has at most {} bytes\n", self.limit);
        let bytes = if self.is_full { note.as_bytes() } else { bytes };
        self.file.write_all(bytes).context("cannot write the log")?;
        self.length.send_replace(length + bytes.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_ends_at_its_limit_with_a_word_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        let mut writer = Writer::open(&path, 10).unwrap();
        let length = writer.length();
        for bytes in ["12345\n", "123456789\n", "x\n"] {
            writer.append(bytes.as_bytes()).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "12345\nkitchen: what follows is left out, since a log has at most 10 bytes\n");
        assert_eq!(*length.borrow(), text.len() as u64);
    }
}
