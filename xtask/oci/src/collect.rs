//! Collects what a layer is to hold: from this machine, and from images of others.

use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{FileEntry, FolderEntry, LinkEntry, Platform, Reference};

use crate::container::numeric_user;
use crate::error::PathContext as _;
use crate::files::{Content, Entries, Entry, Kind, ancestors, is_normal};
use crate::link::link_target;
use crate::pull::Sources;
use crate::rootfs::Rootfs;

fn check_destination(dest: &str) -> Result<()> {
    ensure!(is_normal(dest), "the destination `{dest}` must be absolute, such as /app, without //, . or ..");
    Ok(())
}

/// What the spec says of files.
struct How {
    mode: Option<u32>,
    owner: (u32, u32),
}

impl How {
    fn apply(&self, entry: Entry) -> Entry {
        let (uid, gid) = self.owner;
        // As chown(2) has it: who may become another user by this file was said of its old owner.
        let kept = if (entry.uid, entry.gid) == self.owner { 0o7777 } else { 0o1777 };
        Entry { mode: self.mode.unwrap_or(entry.mode & kept), uid, gid, ..entry }
    }
}

/// Collects the entries of one layer.
pub(crate) struct Collector<'a> {
    /// What is below it.
    pub(crate) below: &'a Rootfs,
    /// What it is for.
    pub(crate) platform: Platform,
    /// Where files of other images come from.
    pub(crate) sources: &'a Sources,
    /// What was collected.
    pub(crate) entries: Entries,
}

impl Collector<'_> {
    /// Adds what a file entry of the spec says.
    pub(crate) fn collect(&mut self, file: &FileEntry) -> Result<()> {
        let FileEntry { from, src, dest, mode, owner } = file;
        check_destination(dest)?;
        ensure!(
            mode.is_none_or(|mode| mode <= 0o7777),
            "the mode of {dest} may have permission bits only, such as 0o755"
        );
        let owner = owner.as_deref().map(numeric_user).transpose()?;
        let owner = owner.map_or((0, 0), |(uid, gid)| (uid, gid.unwrap_or(0)));
        let how = How { mode: *mode, owner };
        if let Some(image) = from {
            return self.copy(image, src, dest, &how);
        }
        let found = fs::metadata(src).cannot("read", src)?;
        if found.is_dir() {
            return self.walk(src, src, dest, &how);
        }
        ensure!(dest != "/", "{} is a file and needs a name in the image, such as /app", src.display());
        self.file(src, &found, dest, &how)
    }

    /// Adds what is at `src` in somebody else's image.
    fn copy(&mut self, image: &Reference, src: &Path, dest: &str, how: &How) -> Result<()> {
        let src = src.to_str().with_context(|| format!("the path {} is not UTF-8", src.display()))?;
        for (path, entry) in self.sources.extract(image, self.platform, src)? {
            let below = path.strip_prefix(src).unwrap_or_default().trim_start_matches('/');
            let place = match below {
                "" => dest.to_owned(),
                below => format!("{}/{below}", dest.trim_end_matches('/')),
            };
            match entry.kind {
                Kind::Folder if place == "/" => {}
                Kind::Folder => self.folder(&place)?,
                _ if place == "/" => bail!("{src} is a file and needs a name in the image, such as /app"),
                Kind::Link { .. } => self.insert(place, entry)?,
                Kind::File { .. } | Kind::BaseFile { .. } => self.insert(place, how.apply(entry))?,
            }
        }
        Ok(())
    }

    /// Adds a folder that has an owner, with its ancestors.
    pub(crate) fn own_folder(&mut self, folder: &FolderEntry) -> Result<()> {
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

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, link: &LinkEntry) -> Result<()> {
        let LinkEntry { dest, target } = link;
        check_destination(dest)?;
        ensure!(dest != "/" && !target.is_empty(), "the link {dest} needs a name and a target");
        self.insert(dest.clone(), Entry::link(target.clone()))
    }

    /// Collects what is in `folder`, which lies in the source folder `root`.
    fn walk(&mut self, root: &Path, folder: &Path, dest: &str, how: &How) -> Result<()> {
        if dest != "/" {
            self.folder(dest)?;
        }
        for found in fs::read_dir(folder).cannot("read the folder", folder)? {
            let found = found.cannot("read the folder", folder)?;
            let path = found.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name =
                name.with_context(|| format!("the name of {} is not UTF-8; rename it", path.display()))?;
            ensure!(
                !name.starts_with(".wh."),
                "{}: names that begin with .wh. mean a deleted file in an image; rename it",
                path.display()
            );
            let dest = format!("{}/{name}", dest.trim_end_matches('/'));
            let found = found.metadata().cannot("read", &path)?;
            if found.is_symlink() {
                let target = link_target(root, &path)?;
                self.insert(dest, Entry::link(target))?;
            } else if found.is_dir() {
                self.walk(root, &path, &dest, how)?;
            } else {
                self.file(&path, &found, &dest, how)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, found: &Metadata, dest: &str, how: &How) -> Result<()> {
        ensure!(
            found.is_file(),
            "{} is a device, socket or pipe; an image holds files, folders and links",
            path.display()
        );
        let executable = found.permissions().mode() & 0o100 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        let kind = Kind::File { content: Content::Path(path.to_owned()), size: found.len() };
        self.insert(dest.to_owned(), how.apply(Entry { kind, mode, uid: 0, gid: 0 }))
    }

    /// Adds a file or link and the folders above it.
    fn insert(&mut self, path: String, entry: Entry) -> Result<()> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // Where one is, its ancestors are too.
        if !folder.is_empty() && !self.entries.get(folder).is_some_and(Entry::is_folder) {
            self.folder(folder)?;
        }
        if let Some(other) = self.entries.get(&path).or_else(|| self.below.get(&path)) {
            // A file of the base may be replaced, and only that.
            let replaces_base =
                matches!(other.kind, Kind::File { content: Content::Bytes(_), .. } | Kind::BaseFile { .. });
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
                Some(Entry { kind: Kind::Link { target }, .. }) if self.below.base.contains_key(path) => {
                    bail!(
                        "{path} would be a folder, but is a link to {target} in the base; use that as the destination"
                    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_owner_does_not_inherit_setuid() {
        let tool = Entry { mode: 0o6755, uid: 5, gid: 6, ..Entry::text("") };
        let mode = |mode, owner| How { mode, owner }.apply(tool.clone()).mode;
        assert_eq!(mode(None, (5, 6)), 0o6755);
        assert_eq!(mode(None, (0, 0)), 0o755);
        assert_eq!(mode(None, (5, 0)), 0o755);
        assert_eq!(mode(Some(0o4755), (0, 0)), 0o4755);
    }
}
