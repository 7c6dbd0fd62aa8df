//! The members of a tar stream, one after the other, with what several headers say of one put together.

use std::io::{self, BufRead, Write};

use anyhow::{Context as _, Result, bail, ensure};

use super::header::{BLOCK, Header, text};
use super::path::{brief, shown};
use super::pax::{self, Pax};
use super::{ENTRIES_MAX, METADATA_MAX};

/// The most headers: an entry may have a pax header, a long name and a long target before its own.
const HEADERS_MAX: usize = 4 * ENTRIES_MAX;

/// The most bytes of headers with long names or pax records: a kibibyte for each entry. Taking them apart is slow.
const METADATA_ALL_MAX: u64 = 1 << 30;

/// An entry of the archive as it is stored there.
#[derive(Debug)]
pub(super) struct Member {
    /// Its path.
    pub(super) name: Vec<u8>,
    /// What it points to, if it is a link of any kind.
    pub(super) target: Vec<u8>,
    /// What it is.
    pub(super) kind: Type,
    /// Its permission bits.
    pub(super) mode: u32,
    /// Its numeric owner.
    pub(super) uid: u32,
    /// Its numeric group.
    pub(super) gid: u32,
    /// The size of its content in bytes.
    pub(super) size: u64,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    File,
    /// A file whose holes are left out: its content cannot be copied as it is.
    Sparse,
    Folder,
    Link,
    HardLink,
    Device,
    Fifo,
}

/// A tar stream that is being read.
pub(super) struct Archive<R> {
    reader: R,
    /// How much is left of the content of the member that was read last, and of the padding after it.
    content: u64,
    padding: u64,
    headers: usize,
    /// The size of all headers that describe other members.
    metadata: u64,
}

/// What headers of their own say of the next member.
#[derive(Default)]
struct Pending {
    pax: Option<Pax>,
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(reader: R) -> Self {
        Archive { reader, content: 0, padding: 0, headers: 0, metadata: 0 }
    }

    /// What the archive was read from, which may hold more than the archive.
    pub(super) fn into_inner(self) -> R {
        self.reader
    }

    /// The next member. `None` at the end mark, and where the stream ends between two members.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let mut pending = Pending::default();
        loop {
            self.copy(&mut io::sink())?;
            let Some(block) = self.header()? else {
                ensure!(
                    pending.is_empty(),
                    "the archive ends after a header that describes the next entry; use another image"
                );
                return Ok(None);
            };
            let header = Header(&block);
            ensure!(
                header.has_right_sum(),
                "after {} headers comes one with a wrong checksum; use another image",
                self.headers - 1
            );
            match header.kind() {
                b'x' => once(&mut pending.pax, pax::parse(&self.metadata(&header)?)?)?,
                b'L' => once(&mut pending.name, text(&self.metadata(&header)?).to_vec())?,
                b'K' => once(&mut pending.target, text(&self.metadata(&header)?).to_vec())?,
                // What is said of all entries at once is ignored, as by Docker and containerd.
                b'g' => drop(self.metadata(&header)?),
                _ => return self.member(&header, pending).map(Some),
            }
        }
    }

    /// Copies what is left of the content of the last member to `out`, and returns how much that was.
    pub(super) fn copy(&mut self, out: &mut impl Write) -> Result<u64> {
        let copied = std::mem::take(&mut self.content);
        self.take(copied, out)?;
        let padding = std::mem::take(&mut self.padding);
        self.take(padding, &mut io::sink())?;
        Ok(copied)
    }

    fn take(&mut self, mut length: u64, out: &mut impl Write) -> Result<()> {
        while length > 0 {
            let bytes = self.reader.fill_buf()?;
            ensure!(!bytes.is_empty(), "the archive ends {length} bytes too early; pull it again");
            let part = bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            out.write_all(&bytes[..part])?;
            self.reader.consume(part);
            length -= part as u64;
        }
        Ok(())
    }

    /// The next header, or `None` at the end.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let block = self.counted_block()?;
        if block != [0; BLOCK] {
            return Ok(Some(block));
        }
        // Two blocks of zeros end an archive. Some writers leave it at one.
        let is_end = self.reader.fill_buf()?.is_empty() || self.block()? == [0; BLOCK];
        ensure!(is_end, "the archive goes on after a block of zeros; use another image");
        Ok(None)
    }

    fn counted_block(&mut self) -> Result<[u8; BLOCK]> {
        self.headers += 1;
        ensure!(self.headers <= HEADERS_MAX, "it has more than {HEADERS_MAX} headers; use another image");
        self.block()
    }

    fn block(&mut self) -> Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.take(BLOCK as u64, &mut &mut block[..])?;
        Ok(block)
    }

    /// The content of a header that describes the next member.
    fn metadata(&mut self, header: &Header<'_>) -> Result<Vec<u8>> {
        let size = header.size().context("a header has an unreadable size; use another image")?;
        ensure!(
            size <= METADATA_MAX,
            "a header of {size} bytes describes an entry, and {METADATA_MAX} are enough; use another image"
        );
        self.metadata += size;
        ensure!(
            self.metadata <= METADATA_ALL_MAX,
            "its headers are longer than {METADATA_ALL_MAX} bytes together; use another image"
        );
        self.follow(size);
        let mut content = Vec::new();
        self.copy(&mut content)?;
        Ok(content)
    }

    /// Notes that content follows the header.
    fn follow(&mut self, size: u64) {
        self.content = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    fn member(&mut self, header: &Header<'_>, pending: Pending) -> Result<Member> {
        let Pending { pax, name, target } = pending;
        let pax = pax.unwrap_or_default();
        let twice = name.is_some() && pax.path.is_some() || target.is_some() && pax.target.is_some();
        ensure!(!twice, "two headers each give the next entry another name; use another image");
        let name = pax.sparse_path.or(pax.path).or(name).unwrap_or_else(|| header.name());
        let shown_name = brief(&name);
        let field = |value: Option<u64>, what: &str| {
            value.with_context(|| format!("the {what} of `{shown_name}` is unreadable; use another image"))
        };
        let id = |value: Option<u64>, what: &str| {
            let value = value.and_then(|value| u32::try_from(value).ok());
            value.with_context(|| {
                format!("the {what} of `{shown_name}` is no number of 32 bits; use another image")
            })
        };
        let stored = field(pax.size.or_else(|| header.size()), "size")?;
        let kind = member_type(header.kind(), &name, pax.is_sparse)
            .with_context(|| format!("the entry `{shown_name}`"))?;
        let size = match kind {
            Type::Sparse if header.kind() == b'S' => field(header.sparse_size(), "size")?,
            Type::Sparse => field(pax.sparse_size, "size")?,
            Type::File => stored,
            _ => 0,
        };
        if header.kind() == b'S' {
            self.skip_sparse_map(header)?;
        }
        // Links, folders and devices have no content, whatever their size says.
        self.follow(if matches!(kind, Type::File | Type::Sparse) { stored } else { 0 });
        Ok(Member {
            target: pax.target.or(target).unwrap_or_else(|| header.target().to_vec()),
            kind,
            mode: (field(header.mode(), "mode")? & 0o7777) as u32,
            uid: id(pax.uid.or_else(|| header.uid()), "owner")?,
            gid: id(pax.gid.or_else(|| header.gid()), "group")?,
            size,
            name,
        })
    }

    /// Skips the blocks in which the map of a GNU sparse file goes on.
    fn skip_sparse_map(&mut self, header: &Header<'_>) -> Result<()> {
        let mut continues = header.sparse_continues();
        while continues {
            continues = self.counted_block()?[504] != 0;
        }
        Ok(())
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.pax.is_none() && self.name.is_none() && self.target.is_none()
    }
}

/// Notes what may be said once of an entry. Readers differ in which of two they believe.
fn once<T>(place: &mut Option<T>, value: T) -> Result<()> {
    ensure!(place.is_none(), "two headers of one kind describe the same entry; use another image");
    *place = Some(value);
    Ok(())
}

fn member_type(letter: u8, name: &[u8], is_sparse: bool) -> Result<Type> {
    Ok(match letter {
        // Archives from before ustar mark folders by a slash.
        0 if name.ends_with(b"/") => Type::Folder,
        0 | b'0' | b'7' if is_sparse => Type::Sparse,
        0 | b'0' | b'7' => Type::File,
        b'1' => Type::HardLink,
        b'2' => Type::Link,
        b'3' | b'4' => Type::Device,
        b'5' => Type::Folder,
        b'6' => Type::Fifo,
        b'S' => Type::Sparse,
        other => bail!("it is of the unknown type `{}`; use another image", shown(&[other])),
    })
}
