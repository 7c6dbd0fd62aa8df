//! Which changes are worth a run, and when: pure, with the time passed in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long nothing may have changed before what did is looked at: one save may write several files.
const QUIET: Duration = Duration::from_millis(200);

/// A file that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// From the workspace's root.
    pub(super) path: PathBuf,
    /// What stands for its content; none where it was not there.
    pub(super) before: Option<u64>,
    /// The same now.
    pub(super) after: Option<u64>,
}

/// What has changed since the last run began.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// For each file its content when that run began, and now.
    files: BTreeMap<PathBuf, (Option<u64>, Option<u64>)>,
    /// When the last change was seen.
    last: Option<Instant>,
}

impl Changes {
    /// Further changes were seen.
    pub(super) fn add(&mut self, changes: Vec<Change>, now: Instant) {
        for Change { path, before, after } in changes {
            self.last = Some(now);
            let contents = self.files.entry(path.clone()).or_insert((before, after));
            contents.1 = after;
            if contents.0 == contents.1 {
                self.files.remove(&path);
            }
        }
    }

    /// Whether something may still be being written.
    pub(super) fn are_settling(&self) -> bool {
        self.last.is_some()
    }

    /// Once all is quiet, the files for which a run is due; none where what has changed was undone or is of no concern.
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<PathBuf>> {
        self.last.take_if(|last| now.duration_since(*last) >= QUIET)?;
        let files = std::mem::take(&mut self.files).into_keys();
        let files = files.filter(|path| concerns_service(path)).collect::<Vec<_>>();
        (!files.is_empty()).then_some(files)
    }
}

/// Whether what the stages find out may depend on a file: not on documentation, nor on what an editor leaves while a file
/// is open. Of the rest, `check` and cargo know best what depends on it.
fn concerns_service(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_documentation = path.starts_with("docs") || name.ends_with(".md") || name.starts_with("LICENSE");
    let is_backup =
        name.ends_with('~') || name.starts_with(".#") || (name.starts_with('#') && name.ends_with('#'));
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    // Vim's swap files, and the file by which it finds out whether it may write.
    let is_of_vim = name == "4913" || (name.starts_with('.') && ["swp", "swo", "swx"].contains(&&*extension));
    !is_documentation && !is_backup && !is_of_vim
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<u64> = Some(1);
    const B: Option<u64> = Some(2);

    fn change(path: &str, before: Option<u64>, after: Option<u64>) -> Change {
        Change { path: path.into(), before, after }
    }

    /// Feeds changes at their times in milliseconds, and returns when a run was due, and for which files, having asked
    /// every 50 ms.
    fn runs(changes: &[(u64, Change)]) -> Vec<(u64, Vec<PathBuf>)> {
        let began = Instant::now();
        let mut state = Changes::default();
        let mut runs = Vec::new();
        for at in (0..2000).step_by(50) {
            let now = began + Duration::from_millis(at);
            let seen = changes.iter().filter(|(time, _)| *time == at).map(|(_, change)| change.clone());
            state.add(seen.collect(), now);
            runs.extend(state.take(now).map(|files| (at, files)));
        }
        assert!(!state.are_settling());
        runs
    }

    fn at(time: u64, paths: &[&str]) -> (u64, Vec<PathBuf>) {
        (time, paths.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn a_run_is_due_once_all_is_quiet() {
        for (changes, expected) in [
            (vec![], vec![]),
            (vec![(100, change("a", A, B))], vec![at(300, &["a"])]),
            // Created, and removed.
            (vec![(0, change("a", None, A)), (50, change("b", B, None))], vec![at(250, &["a", "b"])]),
            // Each change begins the quiet anew.
            ((0..20).map(|n| (n * 50, change("a", Some(n), Some(n + 1)))).collect(), vec![at(1150, &["a"])]),
            // Two runs, when there is quiet between.
            (vec![(0, change("a", A, B)), (300, change("a", B, A))], vec![at(200, &["a"]), at(500, &["a"])]),
        ] {
            assert_eq!(runs(&changes), expected);
        }
    }

    #[test]
    fn what_is_undone_or_of_no_concern_needs_no_run() {
        for changes in [
            vec![(0, change("a", A, B)), (100, change("a", B, A))],
            vec![(0, change("a", None, A)), (50, change("a", A, None))],
            vec![(0, change("docs/service.md", A, B)), (50, change("README.md", A, B))],
            vec![(0, change("app/src/.lib.rs.swp", None, A)), (50, change("app/src/4913", None, A))],
        ] {
            assert_eq!(runs(&changes), []);
        }
        let mixed = [
            (0, change("README.md", A, B)),
            (0, change("a", A, B)),
            (0, change("app/src/docs/page.css", A, B)),
        ];
        assert_eq!(runs(&mixed), [at(200, &["a", "app/src/docs/page.css"])]);
    }

    #[test]
    fn a_file_that_was_written_back_is_not_named_with_another() {
        let changes = [(0, change("a", A, B)), (50, change("b", A, B)), (100, change("a", B, A))];
        assert_eq!(runs(&changes), [at(300, &["b"])]);
    }
}
