//! What the layers of an image hold: collected from this machine, put in order, and checked for contradictions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{FileEntry, FolderEntry, Layer};

use crate::error::PathContext as _;
use crate::startable::numeric_user;

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
            Kind::File { size, .. } => size,
            Kind::Folder | Kind::Link { .. } => 0,
        }
    }

    fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// Where it comes from, for messages.
    fn origin(&self) -> String {
        match &self.kind {
            Kind::File { content: Content::Path(path), .. } => path.display().to_string(),
            Kind::File { .. } => "the base".to_owned(),
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

/// The layers of an image, lowest first, as a container would see them.
#[derive(Clone, Debug, Default)]
pub struct Rootfs {
    /// The built-in base, if there is one, and then the layers of the spec.
    pub layers: Vec<LayerFiles>,
}

impl Rootfs {
    /// What is at `path`: the entry of the highest layer that has it.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.layers.iter().rev().find_map(|layer| layer.entries.get(path))
    }

    /// Collects a layer from this machine and puts it on top.
    ///
    /// # Errors
    /// A source cannot be read, is neither file, folder nor link, or two of them claim the same place.
    pub fn add(&mut self, layer: &Layer, mtime: u64) -> Result<()> {
        let mut collector = Collector { below: self, entries: Entries::new() };
        let collected = layer.files.iter().try_for_each(|file| collector.collect(file));
        collected
            .and_then(|()| layer.folders.iter().try_for_each(|folder| collector.own_folder(folder)))
            .with_context(|| format!("layer `{}`", layer.name))?;
        let entries = collector.entries;
        self.layers.push(LayerFiles { name: layer.name.clone(), entries, mtime });
        Ok(())
    }
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

fn check_destination(dest: &str) -> Result<()> {
    ensure!(is_normal(dest), "the destination `{dest}` must be absolute, such as /app, without //, . or ..");
    Ok(())
}

struct Collector<'a> {
    below: &'a Rootfs,
    entries: Entries,
}

impl Collector<'_> {
    fn collect(&mut self, file: &FileEntry) -> Result<()> {
        let FileEntry { src, dest, mode } = file;
        check_destination(dest)?;
        ensure!(
            mode.is_none_or(|mode| mode <= 0o7777),
            "the mode of {dest} may have permission bits only, such as 0o755"
        );
        let found = fs::metadata(src).cannot("read", src)?;
        if found.is_dir() {
            return self.walk(src, src, dest, *mode);
        }
        ensure!(dest != "/", "{} is a file and needs a name in the image, such as /app", src.display());
        self.file(src, &found, dest, *mode)
    }

    /// Adds a folder that has an owner, with its ancestors.
    fn own_folder(&mut self, folder: &FolderEntry) -> Result<()> {
        let FolderEntry { dest, owner } = folder;
        check_destination(dest)?;
        ensure!(
            dest != "/",
            "the root of the image cannot belong to {owner}; name a folder, such as /app/data"
        );
        self.folder(dest)?;
        let (uid, gid) = numeric_user(owner)?;
        self.entries.insert(dest.clone(), Entry { uid, gid: gid.unwrap_or(0), ..Entry::folder(0o755) });
        Ok(())
    }

    /// Collects what is in `folder`, which lies in the source folder `root`.
    fn walk(&mut self, root: &Path, folder: &Path, dest: &str, mode: Option<u32>) -> Result<()> {
        if dest != "/" {
            self.folder(dest)?;
        }
        for found in fs::read_dir(folder).cannot("read the folder", folder)? {
            let path = found.cannot("read the folder", folder)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name =
                name.with_context(|| format!("the name of {} is not UTF-8; rename it", path.display()))?;
            ensure!(
                !name.starts_with(".wh."),
                "{}: names that begin with .wh. mean a deleted file in an image; rename it",
                path.display()
            );
            let dest = format!("{}/{name}", dest.trim_end_matches('/'));
            let found = fs::symlink_metadata(&path).cannot("read", &path)?;
            if found.is_symlink() {
                let target = link_target(root, &path)?;
                self.insert(dest, Entry::link(target))?;
            } else if found.is_dir() {
                self.walk(root, &path, &dest, mode)?;
            } else {
                self.file(&path, &found, &dest, mode)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, found: &Metadata, dest: &str, mode: Option<u32>) -> Result<()> {
        ensure!(
            found.is_file(),
            "{} is a device, socket or pipe; an image holds files, folders and links",
            path.display()
        );
        let executable = found.permissions().mode() & 0o100 != 0;
        let mode = mode.unwrap_or(if executable { 0o755 } else { 0o644 });
        let kind = Kind::File { content: Content::Path(path.to_owned()), size: found.len() };
        self.insert(dest.to_owned(), Entry { kind, mode, uid: 0, gid: 0 })
    }

    /// Adds a file or link and the folders above it.
    fn insert(&mut self, path: String, entry: Entry) -> Result<()> {
        for folder in ancestors(&path) {
            self.folder(folder)?;
        }
        if let Some(other) = self.entries.get(&path).or_else(|| self.below.get(&path)) {
            // A file of the built-in base may be replaced, and only that.
            let replaces_base = matches!(other.kind, Kind::File { content: Content::Bytes(_), .. });
            if !replaces_base {
                let (first, second) = (other.origin(), entry.origin());
                bail!(
                    "{path} is claimed twice: by {first} and by {second}; give one of them another destination"
                );
            }
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Adds a folder with its ancestors. One that a lower layer has keeps its owner and mode: some runtimes let the
    /// highest layer decide, also for a folder that it only passes through.
    fn folder(&mut self, path: &str) -> Result<()> {
        for path in ancestors(path).chain([path]) {
            match self.entries.get(path).or_else(|| self.below.get(path)) {
                Some(entry) if entry.is_folder() => {
                    let entry = entry.clone();
                    self.entries.insert(path.to_owned(), entry);
                }
                Some(other) => {
                    bail!("{path} would be a folder, but is {} already; rename one of them", other.origin())
                }
                None => {
                    self.entries.insert(path.to_owned(), Entry::folder(0o755));
                }
            }
        }
        Ok(())
    }
}

/// The target of a link, if it cannot lead out of the source folder: then it means the same in the image.
fn link_target(root: &Path, link: &Path) -> Result<String> {
    let target = fs::read_link(link).cannot("read the link", link)?;
    let mut depth = link.strip_prefix(root).map_or(0, |below| below.components().count()).saturating_sub(1);
    for part in target.components() {
        let next = match part {
            Component::Normal(_) => Some(depth + 1),
            Component::CurDir => Some(depth),
            Component::ParentDir => depth.checked_sub(1),
            Component::RootDir | Component::Prefix(_) => None,
        };
        depth = next.with_context(|| {
            let (link, target) = (link.display(), target.display());
            format!("the link {link} leads to {target}, out of the folder that is copied; make it relative or copy the file")
        })?;
    }
    let text = target.to_str().map(str::to_owned);
    text.with_context(|| format!("the target of the link {} is not UTF-8; rename it", link.display()))
}
