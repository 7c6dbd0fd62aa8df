//! What requests carry. It can be sent again, so an attempt that fails costs no more than its time.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::error::PathContext as _;

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Empty,
    Bytes(&'a [u8]),
    Part { path: &'a Path, offset: u64, size: u64 },
}

/// A part of a file. It never ends early: the client would wait for the rest for as long as the request may take.
pub(super) struct FilePart {
    path: PathBuf,
    file: Take<File>,
}

impl FilePart {
    /// The `size` bytes of a file after the first `offset`.
    pub(super) fn open(path: &Path, offset: u64, size: u64) -> Result<FilePart> {
        let mut file = File::open(path).cannot("read", path)?;
        let length = file.metadata().cannot("read", path)?.len();
        ensure!(length >= offset + size, "{}", cut_off(path));
        file.seek(SeekFrom::Start(offset)).cannot("read", path)?;
        Ok(FilePart { path: path.to_owned(), file: file.take(size) })
    }
}

impl Read for FilePart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        if length == 0 && self.file.limit() > 0 && !buffer.is_empty() {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, cut_off(&self.path)));
        }
        Ok(length)
    }
}

fn cut_off(path: &Path) -> String {
    format!("{} became shorter while it was used; start again", path.display())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_part_is_whole_or_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "0123456789").unwrap();
        let mut text = String::new();
        FilePart::open(&path, 2, 5).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "23456");

        let mut part = FilePart::open(&path, 0, 10).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(4).unwrap();
        for error in [
            part.read_to_string(&mut text).unwrap_err().to_string(),
            FilePart::open(&path, 0, 10).map(drop).unwrap_err().to_string(),
        ] {
            assert!(error.ends_with("became shorter while it was used; start again"), "{error}");
        }
    }
}
