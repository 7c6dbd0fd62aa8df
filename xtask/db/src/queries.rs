//! sqlx's query cache: compares a folder that was just written with the one that is kept, or puts it in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::Value;

/// The database that servers have. Its name gets into sqlx's query cache, so it is always the same.
pub(crate) const DATABASE: &str = "app";

/// The described queries of a folder, by file name.
type Queries = BTreeMap<String, Value>;

/// A query for which two folders differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In which way.
    pub kind: Kind,
    /// Its file in the folder.
    pub file: String,
    /// Its first line of SQL.
    pub sql: String,
}

/// In which way two folders differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The kept folder lacks it.
    Missing,
    /// The kept folder describes it differently: a migration has changed what it returns.
    Stale,
    /// The sources do not have it any more.
    Superfluous,
}

/// What is wrong with the folder `kept`, seeing that `fresh` is right; a folder that is not there is empty.
///
/// # Errors
/// When a file cannot be read or is no JSON.
pub fn differences(fresh: &Path, kept: &Path) -> Result<Vec<Difference>> {
    let (fresh, kept) = (read(fresh)?, read(kept)?);
    let files = fresh.keys().chain(kept.keys()).collect::<BTreeSet<_>>();
    let difference = |file: &String| {
        let (kind, query) = match (fresh.get(file), kept.get(file)) {
            (Some(fresh), None) => (Kind::Missing, fresh),
            (Some(fresh), Some(kept)) if fresh != kept => (Kind::Stale, fresh),
            (None, Some(kept)) => (Kind::Superfluous, kept),
            _ => return None,
        };
        let sql = query["query"].as_str().and_then(|sql| sql.trim().lines().next()).unwrap_or_default();
        Some(Difference { kind, file: file.clone(), sql: sql.to_owned() })
    };
    Ok(files.into_iter().filter_map(difference).collect())
}

/// Puts the queries of `fresh` in the place of those in `kept`, all at once. Touches nothing when they are the same.
/// Returns what it changed.
///
/// # Errors
/// When something cannot be read or written; `kept` is as it was then.
pub fn replace(fresh: &Path, kept: &Path) -> Result<Vec<Difference>> {
    let differences = differences(fresh, kept)?;
    if differences.is_empty() {
        return Ok(differences);
    }
    let replace = || -> io::Result<()> {
        let beside = sibling(kept, "new");
        remove(&beside)?;
        fs::create_dir_all(&beside)?;
        for entry in fs::read_dir(fresh)? {
            let entry = entry?;
            fs::copy(entry.path(), beside.join(entry.file_name()))?;
        }
        exchange(&beside, kept)?;
        remove(&beside)
    };
    replace().with_context(|| format!("cannot replace {}", kept.display()))?;
    Ok(differences)
}

/// Gives the database that `folder` was filled from the name that it has everywhere, in place of `name`. Some servers say
/// for each column which database it comes from.
///
/// # Errors
/// When a file cannot be read or written.
pub fn rename_database(folder: &Path, name: &str) -> Result<()> {
    for path in files(folder)? {
        let rename = || {
            let text = fs::read_to_string(&path)?;
            fs::write(&path, text.replace(&format!("\"{name}."), &format!("\"{}.", DATABASE)))
        };
        rename().with_context(|| format!("cannot rename the database in {}", path.display()))?;
    }
    Ok(())
}

/// Puts `new` in the place of `old`, which is `new` afterwards or gone.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    if !old.exists() {
        return fs::rename(new, old);
    }
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Not every file system can do that in one go.
        Err(_) => {
            let aside = sibling(old, "old");
            remove(&aside)?;
            fs::rename(old, &aside)?;
            fs::rename(new, old)?;
            remove(&aside)
        }
    }
}

fn read(folder: &Path) -> Result<Queries> {
    let mut queries = Queries::new();
    for path in files(folder)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let query = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        queries.insert(name(&path), query);
    }
    Ok(queries)
}

/// The files with queries in a folder, none if it is not there.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    let is_query = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    Ok(entries.flatten().map(|entry| entry.path()).filter(is_query).collect())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A hidden folder beside `folder`.
fn sibling(folder: &Path, purpose: &str) -> PathBuf {
    folder.with_file_name(format!(".{}.{purpose}", name(folder)))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder below `root` with a query a file.
    fn folder(root: &Path, name: &str, queries: &[(&str, &str, &str)]) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir_all(&folder).unwrap();
        for (file, sql, describe) in queries {
            let json = serde_json::json!({ "query": sql, "describe": describe });
            fs::write(folder.join(format!("query-{file}.json")), json.to_string()).unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names =
            fs::read_dir(folder).unwrap().map(|entry| name(&entry.unwrap().path())).collect::<Vec<_>>();
        names.sort();
        names
    }

    #[test]
    fn each_kind_of_difference_is_named_by_its_sql() {
        let root = tempfile::tempdir().unwrap();
        let fresh = folder(
            root.path(),
            "fresh",
            &[("a", "SELECT 1", ""), ("b", "SELECT title\nFROM notes", "text"), ("c", "SELECT 3", "")],
        );
        let kept = folder(
            root.path(),
            "kept",
            &[("b", "SELECT title\nFROM notes", "varchar"), ("c", "SELECT 3", ""), ("d", "  SELECT 4", "")],
        );
        let found = differences(&fresh, &kept).unwrap();
        let found = found.iter().map(|d| (d.kind, d.file.as_str(), d.sql.as_str())).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                (Kind::Missing, "query-a.json", "SELECT 1"),
                (Kind::Stale, "query-b.json", "SELECT title"),
                (Kind::Superfluous, "query-d.json", "SELECT 4"),
            ]
        );
        assert_eq!(differences(&fresh, &root.path().join("nowhere")).unwrap().len(), 3);
    }

    #[test]
    fn a_folder_is_replaced_whole_and_nothing_is_left_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let fresh = folder(root.path(), "fresh", &[("a", "SELECT 1", "")]);
        let kept = folder(root.path(), "kept", &[("b", "SELECT 2", "")]);
        for kept in [kept, root.path().join("first")] {
            assert!(!replace(&fresh, &kept).unwrap().is_empty());
            assert_eq!(names(&kept), ["query-a.json"]);
        }
        assert_eq!(names(root.path()), ["first", "fresh", "kept"]);
    }

    #[test]
    fn what_is_equal_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        let fresh = folder(root.path(), "fresh", &[("a", "SELECT 1", "")]);
        let kept = folder(root.path(), "kept", &[]);
        // The same content in another form, as an editor may have left it.
        let file = kept.join("query-a.json");
        fs::write(&file, "{ \"describe\": \"\",\r\n \"query\": \"SELECT 1\" }\r\n").unwrap();
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        assert_eq!(replace(&fresh, &kept).unwrap(), []);
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn a_made_up_name_does_not_get_into_the_cache() {
        let root = tempfile::tempdir().unwrap();
        let [made_up, usual] = ["made_up_1", "app"].map(|name| {
            let table = format!("{name}.notes");
            folder(root.path(), name, &[("a", "SELECT 'made_up_1'", &table)])
        });
        rename_database(&made_up, "made_up_1").unwrap();
        assert_eq!(differences(&made_up, &usual).unwrap(), []);
    }

    #[test]
    fn a_file_that_is_no_json_is_named() {
        let root = tempfile::tempdir().unwrap();
        let kept = folder(root.path(), "kept", &[]);
        fs::write(kept.join("query-a.json"), "<<<<<<< HEAD").unwrap();
        let error = differences(&kept, &kept).unwrap_err();
        assert!(error.to_string().ends_with("query-a.json is no JSON"), "{error}");
    }
}
