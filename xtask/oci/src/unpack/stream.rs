//! A layer's tar stream: decompressed piece by piece, limited, and hashed on the way.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Sink, Write as _};
use std::path::Path;

use anyhow::{Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;
use image_spec::Compression;

use super::{PulledLayer, RATIO_FREE, RATIO_MAX, SIZE_MAX, WINDOW_LOG_MAX};
use crate::digest::{CHUNK, Digest, Hasher};
use crate::error::PathContext as _;

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Tar,
    /// As gzip, of one or more members: eStargz has one for each file.
    Gzip,
    /// As Zstandard, of one or more frames.
    Zstd,
}

impl Packing {
    /// The packing of layers with this media type of the OCI image specification or of Docker.
    ///
    /// # Errors
    /// It is no layer that can be read: the content of foreign and non-distributable layers is not in the registry.
    pub fn of_media_type(media_type: &str) -> Result<Packing> {
        match media_type {
            "application/vnd.oci.image.layer.v1.tar" | "application/vnd.docker.image.rootfs.diff.tar" => {
                Ok(Packing::Tar)
            }
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Ok(Packing::Gzip),
            "application/vnd.oci.image.layer.v1.tar+zstd" => Ok(Packing::Zstd),
            other if other.contains(".nondistributable.") || other.contains(".foreign.") => bail!(
                "the image has a layer of the type `{other}`, which its registry does not hand out; use an image whose \
                 layers are all in its registry"
            ),
            other => bail!(
                "the image has a layer of the unknown type `{other}`; use an image with layers of tar, gzip or zstd"
            ),
        }
    }

    /// The packing of a layer that its manifest says to be packed this way, by how it begins, as Docker and containerd find
    /// it out.
    ///
    /// Docker's classic store names every layer gzip when it pushes, also those of a base that it pulled as Zstandard or
    /// plain tar, which are in the registry as they were.
    ///
    /// # Errors
    /// The layer cannot be read.
    pub fn of_content(self, layer: &Path) -> Result<Packing> {
        const TAR: usize = 257;
        let mut start = Vec::new();
        let file = File::open(layer).cannot("open", layer)?;
        file.take(512).read_to_end(&mut start).cannot("read", layer)?;
        Ok(match start[..] {
            [0x1f, 0x8b, 8, ..] => Packing::Gzip,
            // A frame of data, or one to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            _ if start.get(TAR..).is_some_and(|magic| magic.starts_with(b"ustar")) => Packing::Tar,
            _ => self,
        })
    }

    /// The media type of a layer with this packing in the OCI image specification.
    pub fn layer_media_type(self) -> &'static str {
        match self {
            Packing::Tar => Compression::None.layer_media_type(),
            Packing::Gzip => Compression::Gzip(0).layer_media_type(),
            Packing::Zstd => Compression::Zstd(0).layer_media_type(),
        }
    }
}

impl PulledLayer {
    /// Writes its tar stream to `out`.
    ///
    /// # Errors
    /// It cannot be decompressed, goes beyond the limits of [`unpack`](super), is not what the image config promises, or
    /// `out` fails.
    pub fn copy(&self, out: &mut impl io::Write) -> Result<()> {
        let mut stream = Stream::open(self)?;
        io::copy(&mut stream, out)?;
        stream.finish(self.diff_id)
    }
}

/// The tar stream of a layer. It is hashed as it is read.
pub(super) struct Stream {
    decoder: Box<dyn Read>,
    packing: Packing,
    hasher: Hasher<Sink>,
    chunk: Vec<u8>,
    /// The part of the chunk that has not been taken yet.
    from: usize,
    to: usize,
    total: u64,
    limit: u64,
}

impl Stream {
    /// Opens a layer.
    pub(super) fn open(layer: &PulledLayer) -> Result<Stream> {
        let path = &layer.blob;
        let file = File::open(path).cannot("open", path)?;
        let compressed = file.metadata().cannot("read", path)?.len();
        let decoder = decoder(file, layer.packing).cannot("read", path)?;
        let hasher = Hasher::new(io::sink());
        let (packing, limit) = (layer.packing, limit(compressed));
        Ok(Stream { decoder, packing, hasher, chunk: vec![0; CHUNK], from: 0, to: 0, total: 0, limit })
    }

    /// Reads what is left and checks that the whole was what the image config promises.
    pub(super) fn finish(mut self, promised: Digest) -> Result<()> {
        while !self.fill_buf()?.is_empty() {
            self.from = self.to;
        }
        let (_, found, _) = self.hasher.finish();
        ensure!(
            found == promised,
            "its content has the digest {found}, but the image config promises {promised}; the image is broken, use \
             another"
        );
        Ok(())
    }

    fn refill(&mut self) -> io::Result<()> {
        let length = loop {
            match self.decoder.read(&mut self.chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.describe(&error)),
                Ok(length) => break length,
            }
        };
        self.total += length as u64;
        if self.total > self.limit {
            let limit = self.limit;
            return Err(io::Error::other(format!(
                "it is larger than {limit} bytes uncompressed, too much for its compressed size; use another image"
            )));
        }
        self.hasher.write_all(&self.chunk[..length])?;
        (self.from, self.to) = (0, length);
        Ok(())
    }

    fn describe(&self, error: &io::Error) -> io::Error {
        let format = match self.packing {
            Packing::Tar => "file",
            Packing::Gzip => "gzip stream",
            Packing::Zstd => "zstd stream",
        };
        let at = self.total;
        let text = format!(
            "its {format} cannot be read after {at} bytes: {error}; pull it again or use another image"
        );
        io::Error::new(error.kind(), text)
    }
}

fn decoder(file: File, packing: Packing) -> io::Result<Box<dyn Read>> {
    let buffered = |file| BufReader::with_capacity(CHUNK, file);
    Ok(match packing {
        Packing::Tar => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(buffered(file))),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(buffered(file))?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(bytes)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.from == self.to {
            self.refill()?;
        }
        Ok(&self.chunk[self.from..self.to])
    }

    fn consume(&mut self, length: usize) {
        self.from = self.to.min(self.from + length);
    }
}

/// How large a layer may become that is `compressed` bytes long.
fn limit(compressed: u64) -> u64 {
    compressed.saturating_mul(RATIO_MAX).clamp(RATIO_FREE, SIZE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_oci_and_docker_are_known() {
        for (media_type, packing) in [
            ("application/vnd.oci.image.layer.v1.tar", Packing::Tar),
            ("application/vnd.oci.image.layer.v1.tar+gzip", Packing::Gzip),
            ("application/vnd.oci.image.layer.v1.tar+zstd", Packing::Zstd),
            ("application/vnd.docker.image.rootfs.diff.tar", Packing::Tar),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", Packing::Gzip),
        ] {
            assert_eq!(Packing::of_media_type(media_type).unwrap(), packing);
        }
    }

    #[test]
    fn other_media_types_are_refused_by_name() {
        for media_type in [
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ] {
            let error = Packing::of_media_type(media_type).unwrap_err().to_string();
            let start =
                format!("the image has a layer of the type `{media_type}`, which its registry does not");
            assert!(error.starts_with(&start), "{error}");
        }
        for media_type in ["", "application/vnd.oci.image.layer.v1.tar+xz", "application/json"] {
            let error = Packing::of_media_type(media_type).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown type `{media_type}`; use an image")), "{error}");
        }
    }

    #[test]
    fn how_a_layer_begins_counts_more_than_its_media_type() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (start, packing) in [
            (&b"\x1f\x8b\x08\0"[..], Packing::Gzip),
            (b"\x28\xb5\x2f\xfd\0", Packing::Zstd),
            (b"\x5a\x2a\x4d\x18\0", Packing::Zstd),
            (&tar, Packing::Tar),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), start).unwrap();
            for promised in [Packing::Tar, Packing::Gzip, Packing::Zstd] {
                assert_eq!(promised.of_content(file.path()).unwrap(), packing);
            }
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        for start in [&b""[..], b"\x1f", b"neither"] {
            std::fs::write(file.path(), start).unwrap();
            assert_eq!(Packing::Gzip.of_content(file.path()).unwrap(), Packing::Gzip);
        }
    }

    #[test]
    fn the_limit_grows_with_the_compressed_size_between_two_bounds() {
        assert_eq!([0, 1 << 20, u64::MAX].map(limit), [RATIO_FREE, 1100 << 20, SIZE_MAX]);
    }
}
