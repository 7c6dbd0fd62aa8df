//! What systems do differently, and all of it: the rest of this package is the same on Linux, macOS and Windows.
//!
//! `unix` and `windows` have the same items. What is described here is Unix; `windows` says what that does instead. A
//! system that is neither gets no further than the line that includes one of them.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// How firmly a group is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmness {
    /// As Ctrl-C does.
    Interrupt,
    /// As `kill` does.
    Terminate,
    /// Cannot be refused.
    Kill,
}

/// What tells a file from all others, whatever its names: volume and number.
pub(crate) type FileId = (u64, u64);

/// What the standard library tells of a file on some systems only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileFacts {
    /// Which file it is.
    pub(crate) id: FileId,
    /// How many names it has: hard links.
    pub(crate) names: u64,
    /// What it takes of the disk in bytes.
    pub(crate) size: u64,
}

/// The exit code that tells of the end by a signal with this number, as shells have it.
pub(crate) fn by_signal(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Whether a line, after the one before it, is for one system only. Tests may be.
    fn is_marked(before: &str, line: &str) -> bool {
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        let is_of_test =
            before.trim() == "#[cfg(test)]" || has(&["cfg(all(test, ", "cfg_attr(windows, ignore"]);
        let is_condition = has(&["cfg(", "cfg!(", "cfg_attr("]) && has(&["unix", "windows"]);
        has(&["os::unix", "os::windows", "libc::", "windows_sys::"]) || (is_condition && !is_of_test)
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn nothing_else_is_for_one_system_only() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        sources(&root, &mut found);
        let (own, others) =
            found.into_iter().partition::<Vec<_>, _>(|path| path.starts_with(root.join("platform")));
        let marked = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            let before = std::iter::once("").chain(text.lines());
            let lines = before.zip(text.lines()).filter(|(before, line)| is_marked(before, line));
            lines.map(|(_, line)| format!("{}: {line}", path.display())).collect::<Vec<_>>()
        };
        assert!(own.len() == 4 && own.iter().all(|path| !marked(path).is_empty()), "{own:?}");
        assert!(others.len() > 100, "{others:?}");
        let found = others.iter().flat_map(marked).collect::<Vec<_>>();
        assert!(found.is_empty(), "this belongs into src/platform:\n{}", found.join("\n"));
    }

    #[test]
    fn a_file_is_the_same_by_all_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, other] = ["one", "two", "other"].map(|name| folder.path().join(name));
        fs::write(&one, "text").unwrap();
        fs::write(&other, "text").unwrap();
        let facts = |path: &Path| file_facts(path, &fs::symlink_metadata(path).unwrap());
        assert_eq!(facts(&one).names, 1);
        fs::hard_link(&one, &two).unwrap();
        assert_eq!((facts(&one), facts(&one).names), (facts(&two), 2));
        assert_ne!(facts(&one).id, facts(&other).id);
    }

    #[test]
    fn a_path_without_links_is_one_that_programs_take() {
        let folder = tempfile::tempdir().unwrap();
        let path = canonical(folder.path()).unwrap();
        assert!(path.is_absolute() && path.is_dir() && !path.to_string_lossy().contains('?'), "{path:?}");
        assert_eq!(canonical(&path).unwrap(), path);
        assert!(canonical(&path.join("nothing")).is_err());
    }
}
