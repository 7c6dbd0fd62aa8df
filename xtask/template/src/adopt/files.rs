//! Folders that a service reads when it runs, as far as its sources say so: an image has to have them.

use std::collections::BTreeMap;

use anyhow::Result;

use super::project::Project;
use super::service::Service;
use super::sources::{code, place, read};
use crate::git::Git;

/// Folders that are for cargo, or that nobody reads who runs.
const OTHERS: [&str; 8] = ["src", "tests", "benches", "examples", "target", "docs", "migrations", "xtask"];

/// What has the compiler read a file, so that it is in the binary.
const EMBEDS: [&str; 7] =
    ["include_str!", "include_bytes!", "include_dir!", "include!", "folder =", "migrate!", "template("];

/// Folders that git has, from the root of the project, and where a source names them.
///
/// # Errors
/// A source cannot be read, or git does not answer.
pub(super) fn find(project: &Project, service: &Service, git: &Git) -> Result<BTreeMap<String, String>> {
    let mut folders = BTreeMap::new();
    for base in [".", &service.path] {
        for path in git.paths(&["ls-files", "-z", "--", &format!(":(top,literal){}", at(git, base))])? {
            let inside = path.strip_prefix(&at(git, base)).unwrap_or(&path).trim_start_matches('/');
            let Some((folder, _)) = inside.split_once('/') else { continue };
            if !folder.starts_with('.') && !OTHERS.contains(&folder) {
                let from_root = if base == "." { folder.to_owned() } else { format!("{base}/{folder}") };
                folders.insert(folder.to_owned(), from_root);
            }
        }
    }
    let mut found = BTreeMap::new();
    for (path, text) in read(&project.root.join(&service.path).join("src"))? {
        for (index, line) in code(&text).enumerate() {
            for (_, from_root) in folders.iter().filter(|(folder, _)| names(line, folder)) {
                found.entry(from_root.clone()).or_insert_with(|| place(project, &path, index + 1));
            }
        }
    }
    Ok(found)
}

fn at(git: &Git, base: &str) -> String {
    let path = format!("{}{base}", git.prefix);
    path.strip_suffix('.').map_or(path.clone(), |path| path.trim_end_matches('/').to_owned())
}

/// Whether a line has the folder as a path in quotes, and not for the compiler.
fn names(line: &str, folder: &str) -> bool {
    let begins = |text: &str| {
        let text = text.strip_prefix("./").unwrap_or(text);
        text.strip_prefix(folder).is_some_and(|rest| rest.starts_with(['"', '/']))
    };
    !EMBEDS.iter().any(|embed| line.contains(embed))
        && line.split('"').skip(1).step_by(2).any(|text| begins(&format!("{text}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_quotes_names_a_folder() {
        for line in [
            "ServeDir::new(\"static\")",
            "read(\"static/index.css\")",
            "read(\"./static\")",
            "a(\"b\", \"static/c\")",
        ] {
            assert!(names(line, "static"), "{line}");
        }
        for line in [
            "nest(\"/static\")",
            "read(\"statics\")",
            "static A: &str = \"b\";",
            "include_str!(\"static/a\")",
            "#[folder = \"static/\"]",
        ] {
            assert!(!names(line, "static"), "{line}");
        }
    }
}
