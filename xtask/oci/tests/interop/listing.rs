//! What an image holds, as each tool tells it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use image_spec::{Pins, Platform, Registries};
use libtest_mimic::Failed;
use tar::EntryType;
use xtask_oci::digest::Digest;
use xtask_oci::files::{Content, Kind};
use xtask_oci::pull::Sources;
use xtask_oci::registry::client::Connection;
use xtask_oci::unpack::tree::NodeKind;

use super::common::Sandbox;

/// Places that container engines put something into, whatever the image has there.
const OF_THE_ENGINE: [&str; 13] = [
    "/.dockerenv",
    "/dev",
    "/dev/console",
    "/dev/pts",
    "/dev/shm",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/proc",
    "/run",
    "/run/.containerenv",
    "/sys",
];

/// What is at each absolute path.
#[derive(Clone, Debug, Default)]
pub struct Listing(BTreeMap<String, Item>);

/// What is at a path.
#[derive(Clone, Debug)]
struct Item {
    /// Kind, permission bits and owner; the target of a link, whose permission bits mean nothing.
    what: String,
    content: Option<Digest>,
    mtime: Option<u64>,
}

/// Who owns something, and what may be done with it.
#[derive(Clone, Copy)]
struct Access {
    mode: u32,
    uid: u64,
    gid: u64,
}

impl Item {
    fn new(kind: &str, access: Access) -> Item {
        let Access { mode, uid, gid } = access;
        Item { what: format!("{kind} {:04o} {uid}:{gid}", mode & 0o7777), content: None, mtime: None }
    }

    fn file(content: Digest, access: Access) -> Item {
        Item { content: Some(content), ..Item::new("file", access) }
    }

    fn link(target: &[u8], Access { uid, gid, .. }: Access) -> Item {
        let what = format!("link {uid}:{gid} -> {}", String::from_utf8_lossy(target));
        Item { what, content: None, mtime: None }
    }
}

impl Listing {
    pub fn with_file(self, path: &str, content: &[u8], mode: u32, owner: (u64, u64)) -> Listing {
        self.with(path, Item::file(Digest::of(content), Access { mode, uid: owner.0, gid: owner.1 }))
    }

    pub fn with_folder(self, path: &str, mode: u32, owner: (u64, u64)) -> Listing {
        self.with(path, Item::new("folder", Access { mode, uid: owner.0, gid: owner.1 }))
    }

    pub fn with_link(self, path: &str, target: &str) -> Listing {
        self.with(path, Item::link(target.as_bytes(), Access { mode: 0, uid: 0, gid: 0 }))
    }

    fn with(mut self, path: &str, item: Item) -> Listing {
        self.0.insert(path.to_owned(), item);
        self
    }

    /// What a container engine's `export` wrote: a tar of all that a container sees.
    pub fn of_export(tar: &[u8]) -> Result<Listing, Failed> {
        let mut listing = Listing::default();
        for entry in tar::Archive::new(tar).entries()? {
            let mut entry = entry?;
            let path = absolute(&entry.path_bytes());
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let header = entry.header();
            let access = Access { mode: header.mode()?, uid: header.uid()?, gid: header.gid()? };
            let (kind, mtime) = (header.entry_type(), header.mtime()?);
            let item = match kind {
                EntryType::Directory => Item::new("folder", access),
                EntryType::Symlink => Item::link(&target, access),
                EntryType::Fifo => Item::new("pipe", access),
                EntryType::Link => listing.0[&absolute(&target)].clone(),
                EntryType::Regular => {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content)?;
                    Item::file(Digest::of(&content), access)
                }
                other => Item::new(&format!("{other:?}"), access),
            };
            listing = listing.with(&path, Item { mtime: Some(mtime), ..item });
        }
        listing.0.remove("/");
        Ok(listing)
    }

    /// What a tool unpacked into a folder.
    pub fn of_folder(root: &Path) -> Result<Listing, Failed> {
        let (mut listing, mut folders) = (Listing::default(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let found = fs::symlink_metadata(&path)?;
                let (uid, gid) = (found.uid().into(), found.gid().into());
                let access = Access { mode: found.mode(), uid, gid };
                let item = match found.file_type() {
                    kind if kind.is_dir() => Item::new("folder", access),
                    kind if kind.is_symlink() => {
                        Item::link(fs::read_link(&path)?.as_os_str().as_bytes(), access)
                    }
                    kind if kind.is_fifo() => Item::new("pipe", access),
                    _ => Item::file(Digest::of(&fs::read(&path)?), access),
                };
                let name = absolute(path.strip_prefix(root)?.as_os_str().as_bytes());
                listing = listing.with(&name, Item { mtime: u64::try_from(found.mtime()).ok(), ..item });
                folders.extend(found.is_dir().then_some(path));
            }
        }
        Ok(listing)
    }

    /// What our engine makes of an image in a registry.
    pub fn of_image(name: &str, platform: Platform) -> Result<Listing, Failed> {
        let sandbox = Sandbox::new();
        let connection = Connection::new(&Registries::default());
        let pins = Pins::default();
        let sources = Sources::new(&connection, &sandbox.path("blobs"), &sandbox.path("cache"), pins);
        let image = sources.pull(&name.parse()?, platform).map_err(shown)?;
        let view = sources.view(&image).map_err(shown)?;
        let (mut listing, mut files) = (Listing::default(), Vec::new());
        for (path, node) in view.tree().nodes() {
            let access = Access { mode: node.mode, uid: node.uid.into(), gid: node.gid.into() };
            let name = String::from_utf8_lossy(path).into_owned();
            let item = match &node.kind {
                NodeKind::Folder => Item::new("folder", access),
                NodeKind::File { .. } => Item::new("file", access),
                NodeKind::Link { target } => Item::link(target, access),
                NodeKind::Device => Item::new("device", access),
                NodeKind::Fifo => Item::new("pipe", access),
            };
            // What has no name in UTF-8 cannot be asked for, and the many time zones would take the disk long.
            let is_wanted = matches!(node.kind, NodeKind::File { .. })
                && std::str::from_utf8(path).is_ok()
                && !path.starts_with(b"/usr/share/zoneinfo/");
            files.extend(is_wanted.then(|| name.clone()));
            listing = listing.with(&name, item);
        }
        let wanted = files.iter().map(String::as_str).collect::<Vec<_>>();
        for (path, entry) in view.extract(&wanted, &sandbox.path("files")).map_err(shown)? {
            let Kind::File { content: Content::Path(file), .. } = entry.kind else { continue };
            listing.0.get_mut(&path).unwrap().content = Some(Digest::of(&fs::read(file)?));
        }
        Ok(listing)
    }

    /// What two listings say of the same image, where they differ.
    pub fn differences(&self, other: &Listing) -> Vec<String> {
        let paths = self.0.keys().chain(other.0.keys().filter(|path| !self.0.contains_key(*path)));
        let paths = paths.filter(|path| !OF_THE_ENGINE.contains(&path.as_str()));
        paths.filter_map(|path| difference(path, self.0.get(path), other.0.get(path))).collect()
    }

    /// Where this listing says otherwise than `other`, or lacks what that has.
    pub fn lacks(&self, other: &Listing) -> Vec<String> {
        other.0.iter().filter_map(|(path, item)| difference(path, self.0.get(path), Some(item))).collect()
    }

    /// The files that are in `other` and have another modification time here, if any is known.
    pub fn with_other_mtime<'a>(&self, mtime: u64, other: &'a Listing) -> Vec<&'a String> {
        let files = other.0.iter().filter(|(_, item)| item.content.is_some());
        let is_other = |path: &String| {
            self.0.get(path).is_some_and(|item| item.mtime.is_some_and(|found| found != mtime))
        };
        files.map(|(path, _)| path).filter(|path| is_other(path)).collect()
    }

    /// The files below a folder as they would be below another.
    pub fn copied(&self, from: &str, to: &str) -> Listing {
        let files = self.0.iter().filter(|(_, item)| item.content.is_some());
        let moved = |path: &str| Some(format!("{to}{}", path.strip_prefix(from)?));
        Listing(files.filter_map(|(path, item)| Some((moved(path)?, item.clone()))).collect())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn difference(path: &str, left: Option<&Item>, right: Option<&Item>) -> Option<String> {
    let is_same = match (left, right) {
        (Some(left), Some(right)) => {
            let contents = left.content.zip(right.content);
            left.what == right.what && contents.is_none_or(|(left, right)| left == right)
        }
        _ => false,
    };
    let what =
        |item: Option<&Item>| item.map_or("nothing".to_owned(), |i| format!("{} {:?}", i.what, i.content));
    (!is_same).then(|| format!("{path}: {} and {}", what(left), what(right)))
}

fn absolute(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    format!("/{}", path.trim_start_matches("./").trim_matches('/'))
}

/// An error with all that led to it.
pub fn shown(error: anyhow::Error) -> Failed {
    format!("{error:#}").into()
}
