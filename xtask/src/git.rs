//! What git says of the project, for those who only want to know: none where it fails or is not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::platform;

/// What git prints in the folder `root`, without the end of the last line.
pub(crate) fn ask(root: &Path, args: &[&str]) -> Option<String> {
    let text = String::from_utf8(output(root, args)?).ok()?;
    Some(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Paths that git prints in the folder `root` where it is told to put a zero behind each (`-z`).
pub(crate) fn paths(root: &Path, args: &[&str]) -> Option<Vec<PathBuf>> {
    let printed = output(root, args)?;
    Some(printed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(platform::path_of).collect())
}

/// The files below `root` that git knows or would add, from there.
pub(crate) fn files(root: &Path) -> Option<BTreeSet<PathBuf>> {
    let listed = paths(root, &["ls-files", "--cached", "--others", "--exclude-standard", "-z"])?;
    Some(listed.into_iter().collect())
}

fn output(root: &Path, args: &[&str]) -> Option<Vec<u8>> {
    let mut git = Command::new("git");
    git.args(args).current_dir(root).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    output.status.success().then_some(output.stdout)
}
