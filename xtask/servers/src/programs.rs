//! Looks for the programs of a server: on PATH, and where distributions keep them off it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Facts;
use crate::Programs;

/// The folders of PATH.
pub(crate) fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Both programs of a server.
pub(crate) fn find(facts: &Facts, path: &[PathBuf]) -> Option<Programs> {
    let mut folders = path.to_owned();
    folders.extend(facts.folders.iter().flat_map(|pattern| expand(pattern)));
    // A server and an `initdb` of different versions do not go together: the same folder first.
    let pair = |initialise: &Path, serve: &Path| {
        let pair = Programs { initialise: initialise.join(facts.initialise), serve: serve.join(facts.serve) };
        (pair.initialise.is_file() && pair.serve.is_file()).then_some(pair)
    };
    let together = folders.iter().find_map(|folder| pair(folder, folder));
    together.or_else(|| {
        // Debian has those of some in /usr/bin and /usr/sbin.
        folders.iter().find_map(|initialise| folders.iter().find_map(|serve| pair(initialise, serve)))
    })
}

/// The folders that a path with one `*` stands for, the newest version first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let names = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut versions =
        names.filter_map(|name| Some(name.to_str()?.strip_prefix(prefix)?.to_owned())).collect::<Vec<_>>();
    versions.sort_by_key(|version| std::cmp::Reverse(numbers(version)));
    versions.iter().map(|version| format!("{before}{version}{after}").into()).collect()
}

fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::FACTS;

    fn put(folder: &Path, name: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), "").unwrap();
    }

    #[test]
    fn the_newest_version_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "17", "16-old"] {
            fs::create_dir_all(root.path().join(version)).unwrap();
        }
        let found = expand(&format!("{}/*/bin", root.path().display()));
        let expected = ["17", "16-old", "15", "9.6"].map(|version| root.path().join(version).join("bin"));
        assert_eq!(found, expected);
        assert_eq!(expand("/nowhere/*/bin"), Vec::<PathBuf>::new());
    }

    #[test]
    fn programs_of_one_folder_come_before_a_mixture() {
        let root = tempfile::tempdir().unwrap();
        let [half, whole, rest] = ["a", "b", "c"].map(|name| root.path().join(name));
        put(&half, "makedb");
        put(&rest, "servedb");
        let path = [half.clone(), whole.clone(), rest.clone()];
        let mixture = Programs { initialise: half.join("makedb"), serve: rest.join("servedb") };
        assert_eq!(find(&FACTS, &path), Some(mixture));

        put(&whole, "makedb");
        put(&whole, "servedb");
        let together = Programs { initialise: whole.join("makedb"), serve: whole.join("servedb") };
        assert_eq!(find(&FACTS, &path), Some(together));
        assert_eq!(find(&FACTS, &[half]), None);
    }
}
