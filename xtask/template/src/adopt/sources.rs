//! Sources of a project, as text to search in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::project::Project;

/// The sources in a folder and those below it, in the order of their names.
///
/// # Errors
/// One cannot be read.
pub(super) fn read(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok((path, text))
    };
    below(folder)?.into_iter().map(read).collect()
}

fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            found.extend(below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Where something was found, from the root of the project.
pub(super) fn place(project: &Project, path: &Path, line: usize) -> String {
    format!("{}:{line}", path.strip_prefix(&project.root).unwrap_or(path).display())
}

/// The lines of a source without comments, up to its tests.
pub(super) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").map(without_comment)
}

/// The line up to a comment; not up to the slashes of a URL.
fn without_comment(line: &str) -> &str {
    let is_comment = |at: usize| !line[..at].ends_with(':');
    line.match_indices("//").map(|(at, _)| at).find(|at| is_comment(*at)).map_or(line, |at| &line[..at])
}
