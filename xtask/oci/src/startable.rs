//! Refuses what could not run: no image is written that cannot start.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use anyhow::{Context as _, Result, bail, ensure};
use image_spec::{ImageSpec, Platform};

use crate::container::{self, numeric_user};
use crate::elf::{self, Elf};
use crate::error::PathContext as _;
use crate::files::{Content, Entry, Kind, ancestors, is_normal};
use crate::rootfs::Rootfs;

/// Links followed, and scripts that are interpreters of scripts: as many as Linux follows.
const MAX_LINKS: usize = 40;
const MAX_SCRIPTS: usize = 4;

/// Checks that every program in the image is for `platform`, and that its user can start its entrypoint.
///
/// # Errors
/// Says which program cannot run, why, and what to do.
pub fn check(rootfs: &Rootfs, spec: &ImageSpec, platform: Platform) -> Result<()> {
    for (path, entry) in rootfs.layers.iter().flat_map(|layer| &layer.entries) {
        if entry.mode & 0o111 != 0
            && let Some(elf) = read_elf(path, entry)?
            // A compiler brings the libraries of all that it compiles for.
            && elf.executable
        {
            check_machine(&shown(path, entry), &elf, platform)?;
        }
    }
    let Some(program) = spec.config.entrypoint.first() else {
        bail!("the image has no entrypoint; name the program that it runs");
    };
    let image = Checked { rootfs, spec, platform };
    image.check_program(&image.locate(program)?, MAX_SCRIPTS)
}

/// Checks that `elf`, which people know as `name`, is built for `platform`.
pub fn check_machine(name: &str, elf: &Elf, platform: Platform) -> Result<()> {
    ensure!(
        elf.machine.fits(platform),
        "{name} is built for {}, not for {platform}; build it with `--platform {platform}`",
        elf.machine
    );
    Ok(())
}

/// An image that is looked at.
struct Checked<'a> {
    rootfs: &'a Rootfs,
    spec: &'a ImageSpec,
    platform: Platform,
}

impl Checked<'_> {
    /// The absolute path of the entrypoint, found as the kernel or the runtime would find it.
    fn locate(&self, program: &str) -> Result<String> {
        let run = &self.spec.config;
        let candidates = if program.starts_with('/') {
            vec![program.to_owned()]
        } else if program.contains('/') {
            vec![join(&run.workdir, program)]
        } else {
            let search = container::search_path(&self.rootfs.container, run);
            search.split(':').map(|folder| join(folder, program)).collect()
        };
        let found = candidates.iter().find_map(|path| resolve(self.rootfs, path));
        found.with_context(|| {
            format!(
                "the entrypoint `{program}` is not in the image (looked for {}); add a file with that destination",
                candidates.join(", ")
            )
        })
    }

    fn check_program(&self, path: &str, scripts_left: usize) -> Result<()> {
        let entry = self.rootfs.get(path).with_context(|| format!("{path} is not in the image"))?;
        let name = shown(path, entry);
        let is_file = matches!(entry.kind, Kind::File { .. } | Kind::BaseFile { .. });
        ensure!(is_file, "the entrypoint {name} is not a file");
        check_permissions(self.rootfs, &self.spec.config.user, path, entry)?;
        if matches!(entry.kind, Kind::BaseFile { .. }) {
            // The base was made for this platform, and to look at one of its programs would unpack a layer.
            return Ok(());
        }
        let Some(elf) = read_elf(path, entry)? else {
            return self.check_script(path, entry, scripts_left);
        };
        check_machine(&name, &elf, self.platform)?;
        ensure!(
            elf.executable,
            "{name} is a library or an object file, not a program; use the linked binary"
        );
        if let Some(loader) = elf.loader {
            ensure!(
                resolve(self.rootfs, &loader).is_some(),
                "{name} needs the loader {loader}, which the base `{}` does not have; link it statically \
                 (`cargo xtask build` does) or use a base with that loader",
                self.spec.base
            );
        }
        Ok(())
    }

    /// A file that is no ELF program starts only by way of the interpreter that its first line names.
    fn check_script(&self, path: &str, entry: &Entry, scripts_left: usize) -> Result<()> {
        let name = shown(path, entry);
        let first = first_line(path, entry)?;
        let Some(interpreter) = first.strip_prefix("#!").and_then(|rest| rest.split_whitespace().next())
        else {
            let platform = self.platform;
            bail!("{name} is not a Linux program (no ELF header); build it with `--platform {platform}`");
        };
        ensure!(scripts_left > 0, "{name} is a script whose interpreters are scripts without end");
        let found = resolve(self.rootfs, interpreter).with_context(|| {
            format!(
                "{name} is a script that needs {interpreter}, which the image does not have; use a compiled program \
                 or add the interpreter"
            )
        })?;
        self.check_program(&found, scripts_left - 1)
    }
}

/// Whether `user` may execute a file and pass through the folders above it.
fn check_permissions(rootfs: &Rootfs, user: &str, path: &str, entry: &Entry) -> Result<()> {
    let (uid, gid) = numeric_user(user)?;
    let may_execute = |entry: &Entry| match uid {
        0 => entry.kind == Kind::Folder || entry.mode & 0o111 != 0,
        _ if entry.uid == uid => entry.mode & 0o100 != 0,
        _ if Some(entry.gid) == gid => entry.mode & 0o010 != 0,
        _ => entry.mode & 0o001 != 0,
    };
    for folder in ancestors(path) {
        ensure!(
            rootfs.get(folder).is_none_or(may_execute),
            "the user {user} may not enter {folder}, where the entrypoint {path} is; put it somewhere else"
        );
    }
    ensure!(
        may_execute(entry),
        "{} may not be executed by the user {user} (mode {:04o}); run `chmod +x` on it or give it the mode 0755",
        shown(path, entry),
        entry.mode
    );
    Ok(())
}

/// The path of the file that `path` leads to when links are followed; `None` if it leads nowhere.
fn resolve(rootfs: &Rootfs, path: &str) -> Option<String> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match follow_first_link(rootfs, &path)? {
            Some(next) => path = next,
            None => return Some(path),
        }
    }
    None
}

/// Replaces the first link on the way to `path` by its target; the outer `None` if a part of it does not exist.
fn follow_first_link(rootfs: &Rootfs, path: &str) -> Option<Option<String>> {
    if !is_normal(path) {
        return None;
    }
    for part in ancestors(path).chain([path]) {
        if let Kind::Link { target } = &rootfs.get(part)?.kind {
            let (folder, _) = part.rsplit_once('/')?;
            let rest = path[part.len()..].trim_start_matches('/');
            return Some(Some(join(&join(folder, target), rest)));
        }
    }
    Some(None)
}

/// `path` as seen from `folder`, with `.` and `..` worked out.
fn join(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// How messages name an entry: where people can find it.
fn shown(path: &str, entry: &Entry) -> String {
    match &entry.kind {
        Kind::File { content: Content::Path(source), .. } => source.display().to_string(),
        _ => path.to_owned(),
    }
}

/// Reads something from the content of a file entry.
fn read_with<T>(
    path: &str,
    entry: &Entry,
    read: impl FnOnce(&mut dyn ReadSeek) -> io::Result<T>,
) -> Result<Option<T>> {
    let Kind::File { content, .. } = &entry.kind else {
        return Ok(None);
    };
    let result = match content {
        Content::Bytes(bytes) => read(&mut Cursor::new(bytes)),
        Content::Path(source) => read(&mut File::open(source).cannot("open", source)?),
    };
    result.map(Some).with_context(|| format!("cannot read {}", shown(path, entry)))
}

trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

fn read_elf(path: &str, entry: &Entry) -> Result<Option<Elf>> {
    Ok(read_with(path, entry, |mut file| elf::read(&mut file))?.flatten())
}

/// The beginning of the first line, as far as Linux reads it.
fn first_line(path: &str, entry: &Entry) -> Result<String> {
    let start = read_with(path, entry, |file| {
        let mut start = Vec::new();
        file.take(256).read_to_end(&mut start).map(|_| start)
    })?;
    let text = String::from_utf8_lossy(&start.unwrap_or_default()).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
