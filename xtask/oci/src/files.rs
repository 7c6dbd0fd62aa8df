//! What layers hold: files, folders and links.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Entries by their absolute path in the image. The order of the map puts folders before what is in them.
pub type Entries = BTreeMap<String, Entry>;

/// A file, folder or link of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its permission bits.
    pub mode: u32,
    /// Its numeric owner.
    pub uid: u32,
    /// Its numeric group.
    pub gid: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A regular file of `size` bytes.
    File {
        /// Where its content comes from.
        content: Content,
        /// Its size in bytes.
        size: u64,
    },
    /// A regular file of `size` bytes whose content is in a layer of the base image, and stays there.
    BaseFile {
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link.
    Link {
        /// The path that it points to.
        target: String,
    },
}

/// Where a file's content comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The engine itself.
    Bytes(Cow<'static, [u8]>),
    /// A file of this machine.
    Path(PathBuf),
}

impl Entry {
    /// A folder of root.
    pub fn folder(mode: u32) -> Entry {
        Entry { kind: Kind::Folder, mode, uid: 0, gid: 0 }
    }

    /// A file of root that everybody may read.
    pub fn text(content: impl Into<String>) -> Entry {
        Entry::bytes(content.into().into_bytes())
    }

    /// A file of root that everybody may read.
    pub fn bytes(content: impl Into<Cow<'static, [u8]>>) -> Entry {
        let content = content.into();
        let size = content.len() as u64;
        Entry { kind: Kind::File { content: Content::Bytes(content), size }, mode: 0o644, uid: 0, gid: 0 }
    }

    /// A symbolic link.
    pub fn link(target: String) -> Entry {
        Entry { kind: Kind::Link { target }, mode: 0o777, uid: 0, gid: 0 }
    }

    /// The same entry, with the user and the group `id` as its owner.
    pub fn owned_by(self, id: u32) -> Entry {
        Entry { uid: id, gid: id, ..self }
    }

    /// The size in bytes of a file's content, otherwise 0.
    pub fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size, .. } | Kind::BaseFile { size } => size,
            Kind::Folder | Kind::Link { .. } => 0,
        }
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// Where it comes from, for messages.
    pub(crate) fn origin(&self) -> String {
        match &self.kind {
            Kind::File { content: Content::Path(path), .. } => path.display().to_string(),
            Kind::File { .. } => "the base".to_owned(),
            Kind::BaseFile { .. } => "a file of the base".to_owned(),
            Kind::Folder => "a folder".to_owned(),
            Kind::Link { target } => format!("a link to {target}"),
        }
    }
}

/// The content of one layer.
#[derive(Clone, Debug)]
pub struct LayerFiles {
    /// What it holds, for people.
    pub name: String,
    /// Its entries.
    pub entries: Entries,
    /// The modification time of all of them, in seconds since the Unix epoch.
    pub mtime: u64,
}

/// The ancestors of an absolute path from the highest down, without the root: `/a`, `/a/b` for `/a/b/c`.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').skip(1).map(|(at, _)| &path[..at])
}

/// Whether `path` is absolute and has no empty, `.` or `..` parts, so that it names one place only.
pub fn is_normal(path: &str) -> bool {
    let normal = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(normal))
}
