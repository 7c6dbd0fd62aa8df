//! An image with a shell, made by our engine of this machine's own programs, since a test should need no internet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use image_spec::{Base, FileEntry, FolderEntry, Layer};
use libtest_mimic::Failed;

use super::common::tool;
use super::sample::{HOST, Pushed, layer};

/// What the images of these tests are made with.
const PROGRAMS: [&str; 10] = ["cat", "chmod", "chown", "ln", "mkdir", "mkfifo", "mv", "rm", "sh", "truncate"];

/// Whether this machine has these programs, and says which libraries they need.
pub fn is_there() -> bool {
    PROGRAMS.iter().all(|program| files_of(program).is_ok())
}

/// Pushes the image and returns its name.
pub fn push(pushed: &Pushed) -> Result<String, Failed> {
    let name = pushed.other("shell:1");
    let mut files = BTreeSet::new();
    for program in PROGRAMS {
        files.extend(files_of(program)?);
    }
    let entry = |(src, dest)| FileEntry { from: None, src, dest, mode: Some(0o755), owner: None };
    let below = [("below", "0"), ("deleted", "0"), ("opaque/old", "0"), ("folder/old", "7:8")];
    let below = below.map(|(name, owner)| {
        pushed.sandbox.file(name, name.as_bytes());
        let owner = Some(owner.to_owned());
        FileEntry { owner, ..pushed.sandbox.entry(name, &format!("/srv/{name}"), None) }
    });
    // Docker would make one.
    let etc = FolderEntry { dest: "/etc".to_owned(), owner: "0:0".to_owned() };
    let layers: Vec<Layer> = vec![
        layer("programs", files.into_iter().map(entry).collect()),
        Layer { folders: vec![etc], ..layer("what is changed above", below.into()) },
    ];
    let mut spec = pushed.spec(&name, Base::Scratch, "zstd:3", [(HOST, layers)].into())?;
    spec.config.user = "0:0".to_owned();
    spec.config.entrypoint = vec!["/bin/sh".to_owned()];
    pushed.push(&spec)?;
    Ok(name)
}

/// A program and its libraries, each with its place in the image.
fn files_of(program: &str) -> Result<Vec<(PathBuf, String)>, Failed> {
    let find = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", program]).output()?;
    let path = String::from_utf8(find.stdout)?;
    let source = Path::new(path.trim()).canonicalize()?;
    let mut files = vec![(source.clone(), format!("/bin/{program}"))];
    let libraries = String::from_utf8(tool::output(Command::new("ldd").arg(&source))?)?;
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
        files.push((Path::new(library).canonicalize()?, library.to_owned()));
    }
    Ok(files)
}
