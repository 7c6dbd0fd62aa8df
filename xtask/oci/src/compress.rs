//! Hashes and compresses a layer in one pass.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::thread;

use flate2::write::GzEncoder;
use image_spec::Compression;
use zstd::zstd_safe::CParameter;

use crate::beside::Beside;
use crate::digest::{Digest, Hasher};

/// Takes a tar stream and writes the compressed layer to `W`. It compresses beside the caller, who reads files meanwhile.
pub struct LayerWriter<W>(Hasher<Beside<(W, Digest, u64)>>);

/// What came out of a [`LayerWriter`].
#[derive(Debug)]
pub struct Compressed<W> {
    /// Where the layer was written.
    pub inner: W,
    /// Digest of the tar stream.
    pub diff_id: Digest,
    /// Digest of the compressed layer.
    pub digest: Digest,
    /// Size of the compressed layer in bytes.
    pub size: u64,
}

enum Encoder<W: Write> {
    None(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write + Send + 'static> LayerWriter<W> {
    /// Starts a layer whose tar stream is going to be `tar_size` bytes long, if that is known, on all processors.
    pub fn new(inner: W, compression: Compression, tar_size: Option<u64>) -> io::Result<Self> {
        Self::with_workers(
            inner,
            compression,
            tar_size,
            thread::available_parallelism().map_or(1, NonZeroUsize::get),
        )
    }

    fn with_workers(
        inner: W,
        compression: Compression,
        tar_size: Option<u64>,
        workers: usize,
    ) -> io::Result<Self> {
        let inner = Hasher::new(inner);
        let encoder = match compression {
            Compression::None => Encoder::None(inner),
            // This header has neither a name nor a time.
            Compression::Gzip(level) => {
                Encoder::Gzip(GzEncoder::new(inner, flate2::Compression::new(level.into())))
            }
            Compression::Zstd(level) => {
                let mut encoder = zstd::Encoder::new(inner, level.into())?;
                encoder.set_pledged_src_size(tar_size)?;
                // Never 0: the bytes are the same with any number of workers, but others without any.
                encoder.multithread(u32::try_from(workers).unwrap_or(1).max(1))?;
                if let Some(size) = job_size(level) {
                    encoder.set_parameter(CParameter::JobSize(size))?;
                }
                Encoder::Zstd(encoder)
            }
        };
        Ok(LayerWriter(Hasher::new(Beside::new(encoder, |encoder| Ok(encoder.finish()?.finish())))))
    }

    /// Ends the layer.
    pub fn finish(self) -> io::Result<Compressed<W>> {
        let (beside, diff_id, _) = self.0.finish();
        let (inner, digest, size) = beside.finish()?;
        Ok(Compressed { inner, diff_id, digest, size })
    }
}

/// How many bytes a worker takes at a time, or what the library thinks best.
///
/// The library's own choice, four windows, leaves a service's binary of a few MiB to one processor. The everyday levels
/// are for speed; the high ones are for size, and smaller jobs cost some.
fn job_size(level: u8) -> Option<u32> {
    (level <= 5).then_some(2 << 20)
}

impl<W: Write + Send + 'static> Write for LayerWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Encoder<W> {
    fn finish(self) -> io::Result<W> {
        match self {
            Encoder::None(inner) => Ok(inner),
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Encoder::None(inner) => inner.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Encoder::None(inner) => inner.flush(),
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::cache;

    /// Bytes that compress, but not to nothing.
    fn sample(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [b'a', b'b', b'c', b'\n', (state >> 9) as u8][(state >> 24) as usize % 5]
        };
        (0..length).map(|_| next()).collect()
    }

    fn compress(bytes: &[u8], compression: Compression, workers: usize, chunk: usize) -> Compressed<Vec<u8>> {
        let mut writer =
            LayerWriter::with_workers(Vec::new(), compression, Some(bytes.len() as u64), workers).unwrap();
        bytes.chunks(chunk).for_each(|chunk| writer.write_all(chunk).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn every_compression_reads_back() {
        let bytes = sample(100_000);
        for compression in [Compression::None, Compression::Gzip(6), Compression::Zstd(3)] {
            let made = compress(&bytes, compression, 2, 10_000);
            let mut back = Vec::new();
            match compression {
                Compression::None => back.clone_from(&made.inner),
                Compression::Gzip(_) => {
                    flate2::read::GzDecoder::new(&made.inner[..]).read_to_end(&mut back).map(drop).unwrap();
                }
                Compression::Zstd(_) => zstd::stream::copy_decode(&made.inner[..], &mut back).unwrap(),
            }
            assert!(back == bytes, "{compression}");
            assert_eq!(made.diff_id, Digest::of(&bytes));
            assert_eq!(made.digest, Digest::of(&made.inner));
            assert_eq!(made.size, made.inner.len() as u64);
        }
    }

    #[test]
    fn the_number_of_workers_and_the_size_of_writes_change_nothing() {
        let bytes = sample(5 << 20);
        for compression in [Compression::Zstd(1), Compression::Zstd(3), Compression::Zstd(6)] {
            let one = compress(&bytes, compression, 1, 1 << 20).digest;
            for (workers, chunk) in [(2, 1 << 20), (4, 333_333), (16, usize::MAX)] {
                assert_eq!(
                    compress(&bytes, compression, workers, chunk).digest,
                    one,
                    "{compression} {workers}"
                );
            }
        }
    }

    #[test]
    fn a_new_compressor_starts_a_new_generation_of_the_cache() {
        let bytes = sample(3 << 20);
        let digests = [Compression::Gzip(6), Compression::Zstd(3), Compression::Zstd(19)]
            .map(|compression| compress(&bytes, compression, 1, 1 << 20).digest.hex()[..8].to_owned());
        let expected = (1, ["55afc003", "7a204307", "73cea657"].map(str::to_owned));
        assert_eq!(
            (cache::GENERATION, digests),
            expected,
            "compressors write other bytes than before: raise cache::GENERATION and put the new digests here"
        );
    }
}
