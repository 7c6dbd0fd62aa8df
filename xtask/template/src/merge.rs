//! The three-way merge of a project with two versions of its template: all of it in git's objects, none in its index, its
//! references or the work tree.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::git::Git;
use crate::record::Record;
use crate::tree::{self, File, Mode, Tree};

/// What a merge comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The tree, with marks where there are conflicts.
    pub(crate) tree: String,
    /// Entries of the index for the conflicts, as `git update-index --index-info` takes them.
    pub(crate) stages: Vec<String>,
    /// What git says about the conflicts.
    pub(crate) messages: Vec<String>,
}

/// Merges what is committed with what leads from one rendering to the other. `label` is what the other side is called in
/// conflicts.
///
/// # Errors
/// git refuses.
pub(crate) fn merge(git: &Git, old: &Tree, new: &Tree, label: &str) -> Result<Merged> {
    let git = &beside(git)?;
    let ours = ours(git, |path| old.contains_key(path) || new.contains_key(path))?;
    let mut old = like_ours(old, &ours);
    // A record that was only formatted otherwise is no conflict.
    if let Some(record) = ours.get(Record::FILE) {
        old.insert(Record::FILE.to_owned(), record.clone());
    }
    let [old, new] = write_trees(git, [&old, &like_ours(new, &ours)])?;
    let base = commit(git, &old, &[])?;
    let head = git.read(&["rev-parse", "--verify", "HEAD^{tree}"])?;
    let head = commit(git, &head, &["-p", &base])?;
    let theirs = commit(git, &new, &["-p", &base])?;
    // Conflict marks have the names that the two sides are given by. These references are in the repository beside.
    git.read(&["update-ref", "--no-deref", "HEAD", &head])?;
    git.read(&["update-ref", &format!("refs/{label}"), &theirs])?;
    let output = git.run(&["merge-tree", "--write-tree", "-z", "--messages", "HEAD", label], b"")?;
    match output.status.code() {
        Some(0 | 1) => parse(&output.stdout).context("git merge-tree"),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            bail!("git cannot merge: {said}; it has to be 2.38 or newer")
        }
    }
}

/// The tree of a rendering, where the project's folder is.
///
/// # Errors
/// git refuses.
pub(crate) fn tree_of(git: &Git, rendering: &Tree) -> Result<String> {
    let git = &beside(git)?;
    let ours = ours(git, |path| rendering.contains_key(path))?;
    let [tree] = write_trees(git, [&like_ours(rendering, &ours)])?;
    Ok(tree)
}

/// What the project has committed of some files.
fn ours(git: &Git, is_asked: impl Fn(&str) -> bool) -> Result<Tree> {
    // Not by what stands for HEAD in the repository beside, which changes.
    tree::read_some(&git.top, &format!("HEAD:{}", git.prefix), is_asked)
}

/// A repository with references and an index of its own, that shares the project's commits, files and settings.
fn beside(git: &Git) -> Result<Git> {
    let folder = git.work().join("merge.git");
    let place = folder.to_string_lossy();
    let format = git.read(&["rev-parse", "--show-object-format"])?;
    git.read(&["init", "--quiet", "--bare", "--template=", &format!("--object-format={format}"), &place])?;
    let path =
        |name: &str| Ok::<_, anyhow::Error>(git.top.join(git.read(&["rev-parse", "--git-path", name])?));
    let config = path("config")?;
    git.read(&["--git-dir", &place, "config", "include.path", &config.to_string_lossy()])?;
    let head = git.read(&["rev-parse", "--verify", "HEAD"])?;
    let who = |name| (name, PathBuf::from("template"));
    let beside = git.with(vec![
        ("GIT_DIR", folder.clone()),
        ("GIT_WORK_TREE", git.top.clone()),
        ("GIT_OBJECT_DIRECTORY", path("objects")?),
        ("GIT_INDEX_FILE", folder.join("index")),
        who("GIT_AUTHOR_NAME"),
        who("GIT_AUTHOR_EMAIL"),
        who("GIT_COMMITTER_NAME"),
        who("GIT_COMMITTER_EMAIL"),
    ]);
    beside.read(&["update-ref", "--no-deref", "HEAD", &head])?;
    Ok(beside)
}

fn commit(git: &Git, tree: &str, parents: &[&str]) -> Result<String> {
    git.read(&[&["commit-tree", tree, "-m", "template"], parents].concat())
}

/// Files with the ends of lines that the project has: it may have been converted as a whole.
fn like_ours(rendering: &Tree, ours: &Tree) -> Tree {
    let like = |(path, file): (&String, &File)| {
        let ends = ours.get(path).filter(|_| file.mode != Mode::Link).and_then(|ours| ends(&ours.bytes));
        let bytes = match (ends, self::ends(&file.bytes)) {
            (Some(to), Some(from)) if to != from => {
                String::from_utf8_lossy(&file.bytes).replace(from, to).into()
            }
            _ => file.bytes.clone(),
        };
        (path.clone(), File { bytes, mode: file.mode })
    };
    rendering.iter().map(like).collect()
}

/// How every line of a text ends; none for what is no text, or has no line, or some of each.
fn ends(bytes: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (all, with_return) = (text.matches('\n').count(), text.matches("\r\n").count());
    match with_return {
        _ if all == 0 || text.contains('\0') => None,
        0 => Some("\n"),
        _ if all == with_return => Some("\r\n"),
        _ => None,
    }
}

/// Writes the files into git's objects, by one process for all of them.
fn write_trees<const N: usize>(git: &Git, renderings: [&Tree; N]) -> Result<[String; N]> {
    let folder = git.work().join("files");
    let mut numbers: BTreeMap<&[u8], String> = BTreeMap::new();
    for file in renderings.iter().flat_map(|tree| tree.values()) {
        let next = format!("{:06}", numbers.len());
        numbers.entry(&file.bytes).or_insert(next);
    }
    let files = numbers.iter().map(|(bytes, number)| (number.clone(), File::plain(*bytes)));
    tree::write(&files.collect(), &folder)?;
    let names: String =
        numbers.values().map(|number| format!("{}\n", folder.join(number).display())).collect();
    let hashes = git.feed(&["hash-object", "-w", "--no-filters", "--stdin-paths"], names.as_bytes())?;
    let hashes = String::from_utf8(hashes).context("git hash-object")?;
    let hashes: BTreeMap<&[u8], &str> = numbers.keys().copied().zip(hashes.lines()).collect();
    let mut trees = std::array::from_fn(|_| String::new());
    for (tree, rendering) in trees.iter_mut().zip(renderings) {
        let mut entries = String::new();
        for (path, file) in rendering {
            let mode = match file.mode {
                Mode::Plain => "100644",
                Mode::Executable => "100755",
                Mode::Link => "120000",
            };
            let hash = hashes.get(file.bytes.as_slice()).context("git hash-object")?;
            entries.push_str(&format!("{mode} {hash}\t{}{path}\0", git.prefix));
        }
        git.read(&["read-tree", "--empty"])?;
        git.feed(&["update-index", "-z", "--index-info"], entries.as_bytes())?;
        *tree = git.read(&["write-tree"])?;
    }
    Ok(trees)
}

/// Reads what [`git merge-tree -z`](https://git-scm.com/docs/git-merge-tree#_output) prints.
fn parse(bytes: &[u8]) -> Result<Merged> {
    let text = String::from_utf8_lossy(bytes);
    let mut fields = text.split('\0');
    let tree = fields.next().filter(|tree| !tree.is_empty()).context("no tree")?.to_owned();
    let stages = fields.by_ref().take_while(|field| !field.is_empty()).map(str::to_owned).collect();
    let mut messages = Vec::new();
    while let Some(count) = fields.next().filter(|field| !field.is_empty()) {
        let count: usize = count.parse().context("the number of paths")?;
        let mut rest = fields.by_ref().skip(count);
        let (kind, message) = (rest.next().context("a kind")?, rest.next().context("a message")?);
        if kind.starts_with("CONFLICT") {
            messages.push(message.trim_end().to_owned());
        }
    }
    Ok(Merged { tree, stages, messages })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_read() {
        let conflict = [
            "t",
            "100644 a 1\tx y",
            "100644 b 2\tx y",
            "",
            "1",
            "x y",
            "Auto-merging",
            "Auto-merging x y\n",
            "1",
            "x y",
            "CONFLICT (contents)",
            "CONFLICT (content): Merge conflict in x y\n",
            "",
        ]
        .join("\0");
        let merged = parse(conflict.as_bytes()).unwrap();
        assert_eq!(merged.tree, "t");
        assert_eq!(merged.stages, ["100644 a 1\tx y", "100644 b 2\tx y"]);
        assert_eq!(merged.messages, ["CONFLICT (content): Merge conflict in x y"]);
        let clean = parse(b"t\0").unwrap();
        assert_eq!((clean.stages.len(), clean.messages.len()), (0, 0));
        assert!(parse(b"").is_err());
    }

    #[test]
    fn files_end_their_lines_as_the_project_does() {
        let tree = |text: &str| Tree::from([("a".to_owned(), File::plain(text))]);
        for (theirs, ours, expected) in [
            ("1\n2\n", "1\r\n", "1\r\n2\r\n"),
            ("1\r\n2", "1\n", "1\n2"),
            ("1\r\n2\n", "1\n", "1\r\n2\n"),
            ("1\n", "1", "1\n"),
            ("1\n\0", "1\r\n", "1\n\0"),
        ] {
            assert_eq!(like_ours(&tree(theirs), &tree(ours)), tree(expected), "{theirs:?}");
        }
    }
}
