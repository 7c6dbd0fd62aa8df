//! Reads the layers of images that others made: what they hold, what they add up to, and the content of single files.
//!
//! One way through: [`stream`] decompresses a layer and checks what comes out against its diff id; `archive` takes the tar
//! apart, by way of `header` and `pax`; [`listing`] says what the entries mean; [`stored`] keeps that between runs;
//! [`tree`] puts the layers of one image on top of each other, each by way of `overlay`; [`view`] is what the engine sees of
//! the result, and `extract` takes files out of it.
//!
//! Layers come from strangers. Nothing in one decides where this machine writes, and each is read in memory that the
//! limits below bound. Where the meaning of a layer is open, it means what Docker and containerd make of it, since they are
//! what will unpack it.
//!
//! Own code reads the tar: the crate of that name takes a header of any size into memory, and loses its place in a pax
//! header whose values hold newlines, as file capabilities may.

mod archive;
mod extract;
mod header;
pub mod listing;
mod overlay;
mod path;
mod pax;
pub mod stored;
pub mod stream;
pub mod tree;
pub mod view;

use std::path::PathBuf;

use crate::digest::Digest;
pub use stream::Packing;
pub use view::View;

/// The most entries of a layer, and of all layers of an image together. Several times what the largest images hold.
pub const ENTRIES_MAX: usize = 1_000_000;

/// The longest path or link target in bytes: Linux's `PATH_MAX`.
pub const PATH_MAX: usize = 4096;

/// The most bytes that the paths and link targets of a layer, or of an image, may have together. A million of the longest
/// would not fit into memory.
pub const PATHS_MAX: usize = 256 << 20;

/// The most symbolic links on the way to a file, as many as Linux follows.
pub const LINKS_MAX: usize = 40;

/// The largest header with a long name or with pax records in bytes, as in Go. It is kept in memory.
pub const METADATA_MAX: u64 = 1 << 20;

/// The largest layer in bytes, uncompressed: more than registries take, and still read within minutes.
pub const SIZE_MAX: u64 = 64 << 30;

/// How many times its compressed size a layer may have. Gzip reaches 1032 with nothing but zeros; zstd goes far beyond, and
/// only a bomb does.
pub const RATIO_MAX: u64 = 1100;

/// The size in bytes below which the ratio does not matter: reading that much takes a second.
pub const RATIO_FREE: u64 = 1 << 30;

/// The largest window of a zstd stream, as a power of two: 128 MiB of memory. RFC 8878 asks for 8 MiB; `zstd --long` and
/// its highest levels take up to this.
pub const WINDOW_LOG_MAX: u32 = 27;

/// A layer as a registry client leaves it: a file whose digest was verified.
#[derive(Clone, Debug)]
pub struct PulledLayer {
    /// The file, compressed as it is in the registry.
    pub blob: PathBuf,
    /// How it is compressed, by its media type.
    pub packing: Packing,
    /// Digest of its tar stream, which the image config promises.
    pub diff_id: Digest,
}

impl PulledLayer {
    /// How messages name it.
    fn name(&self) -> String {
        format!("the layer {}", self.blob.display())
    }
}
