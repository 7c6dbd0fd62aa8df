//! A writer that works beside its caller, on a thread of its own.

use std::io::{self, Write};
use std::mem;
use std::panic;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// How much is handed over at a time, in bytes: enough that threads seldom wait for each other.
const LENGTH: usize = 1 << 20;
/// How many buffers go round. Memory is bounded by them: whoever is faster waits.
const BUFFERS: usize = 4;

/// Hands what it is given to another writer, and in the end gets a `T` from it.
#[derive(Debug)]
pub(crate) struct Beside<T> {
    filling: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    /// None once it has ended.
    thread: Option<JoinHandle<io::Result<T>>>,
}

impl<T: Send + 'static> Beside<T> {
    /// Starts a thread that writes to `inner`, and calls `finish` with it after the last byte.
    pub(crate) fn new<W: Write + Send + 'static>(
        mut inner: W,
        finish: impl FnOnce(W) -> io::Result<T> + Send + 'static,
    ) -> Self {
        let (full, work) = sync_channel::<Vec<u8>>(BUFFERS);
        let (done, empty) = sync_channel(BUFFERS);
        let thread = thread::spawn(move || {
            (1..BUFFERS).for_each(|_| {
                let _ = done.send(Vec::with_capacity(LENGTH));
            });
            for mut buffer in work {
                inner.write_all(&buffer)?;
                buffer.clear();
                // In the end nobody waits for it.
                let _ = done.send(buffer);
            }
            finish(inner)
        });
        Beside { filling: Vec::with_capacity(LENGTH), full, empty, thread: Some(thread) }
    }

    /// Waits for what was written to be dealt with.
    ///
    /// # Errors
    /// The other writer failed.
    pub(crate) fn finish(mut self) -> io::Result<T> {
        let last = mem::take(&mut self.filling);
        // If the thread has ended, it says why.
        let _ = self.full.send(last);
        let thread = self.thread.take();
        drop(self);
        thread.map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), end)
    }

    /// Why the thread takes no more.
    fn failure(&mut self) -> io::Error {
        let ended = self.thread.take().map(end);
        ended.and_then(Result::err).unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

/// What a thread returned. If it panicked, so does this one.
fn end<T>(thread: JoinHandle<io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}

impl<T: Send + 'static> Write for Beside<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filling.len() == LENGTH {
            let Ok(next) = self.empty.recv() else { return Err(self.failure()) };
            if self.full.send(mem::replace(&mut self.filling, next)).is_err() {
                return Err(self.failure());
            }
        }
        let length = bytes.len().min(LENGTH - self.filling.len());
        self.filling.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    /// Does nothing: the other writer sees the bytes when there are enough of them, or in the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order() {
        for length in [0, 1, LENGTH - 1, LENGTH, LENGTH + 1, 10 * LENGTH] {
            let bytes = (0..length).map(|at| (at / 7) as u8).collect::<Vec<_>>();
            let mut writer = Beside::new(Vec::new(), Ok);
            bytes.chunks(70_000).for_each(|chunk| writer.write_all(chunk).unwrap());
            assert!(writer.finish().unwrap() == bytes, "{length}");
        }
    }

    /// Has room for so many bytes.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_writer_hears_what_went_wrong() {
        let full = |result: io::Result<()>| result.unwrap_err().kind() == io::ErrorKind::StorageFull;
        let mut writer = Beside::new(Disk(3 * LENGTH), |_| Ok(()));
        let written = (0..100).try_for_each(|_| writer.write_all(&[0; LENGTH]));
        assert!(full(written));
        // The error is told once; afterwards it is merely known that there was one.
        assert!(writer.write_all(&[0; 2 * LENGTH]).is_err());
        assert!(writer.finish().is_err());

        let mut writer = Beside::new(Disk(3), |_| Ok(()));
        writer.write_all(b"four").unwrap();
        assert!(full(writer.finish()));
        assert!(full(Beside::new(Disk(3), |_| Err(io::ErrorKind::StorageFull.into())).finish()));
    }
}
