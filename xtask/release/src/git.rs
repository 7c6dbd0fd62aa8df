//! What git knows, and what it is told to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// A work tree of git, seen from a folder in it.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    folder: PathBuf,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Its full hash.
    pub(crate) hash: String,
    /// Whether it joins others.
    pub(crate) is_merge: bool,
    /// What it says, as it was written.
    pub(crate) message: String,
}

impl Commit {
    /// As many digits of its hash as people compare.
    pub(crate) fn short(&self) -> &str {
        short(&self.hash)
    }

    /// Its first line.
    pub(crate) fn subject(&self) -> &str {
        self.message.trim_start().lines().next().unwrap_or_default().trim_end()
    }
}

/// As many digits of a hash as people compare.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..9).unwrap_or(hash)
}

impl Git {
    /// The work tree that `folder` is in.
    ///
    /// # Errors
    /// There is none, it has no commit, or not all of its history is here.
    pub(crate) fn open(folder: &Path) -> Result<Git> {
        let git = Git { folder: folder.to_owned() };
        let inside = git.run(&["rev-parse", "--is-inside-work-tree"])?;
        ensure!(
            inside.status.success() && text(&inside.stdout) == "true",
            "{} is not in a work tree of git ({}); a release is a commit and a tag: `git init`, and commit first",
            folder.display(),
            text(&inside.stderr)
        );
        ensure!(git.find("HEAD")?.is_some(), "there is no commit yet, so there is nothing to release");
        ensure!(
            git.read(&["rev-parse", "--is-shallow-repository"])? == "false",
            "this clone is shallow: commits and tags that decide the version are missing; fetch them: \
             `git fetch --unshallow --tags`"
        );
        Ok(git)
    }

    /// The folder that it is seen from.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in git's own folder of this work tree.
    pub(crate) fn own_file(&self, name: &str) -> Result<PathBuf> {
        Ok(self.folder.join(self.read(&["rev-parse", "--git-path", name])?))
    }

    /// The hash of the commit that `revision` means, if there is one.
    pub(crate) fn find(&self, revision: &str) -> Result<Option<String>> {
        let commit = format!("{revision}^{{commit}}");
        let output = self.run(&["rev-parse", "--quiet", "--verify", "--end-of-options", &commit])?;
        Ok(output.status.success().then(|| text(&output.stdout)))
    }

    /// The branch that is checked out.
    pub(crate) fn branch(&self) -> Result<Option<String>> {
        let output = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        Ok(output.status.success().then(|| text(&output.stdout)))
    }

    /// Names of tags that `which` takes, such as `--merged HEAD`.
    pub(crate) fn tags(&self, which: &[&str]) -> Result<Vec<String>> {
        let names =
            self.read(&[&["for-each-ref", "--format=%(refname:strip=2)"], which, &["refs/tags"]].concat())?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// The commits of `range`, the newest first; in a folder below git's own, those that changed something in it.
    pub(crate) fn commits(&self, range: &str) -> Result<Vec<Commit>> {
        let format = "--format=%H%n%P%n%B";
        let mut args =
            vec!["log", "-z", "--no-show-signature", "--encoding=UTF-8", format, "--end-of-options", range];
        args.push("--");
        if !self.read(&["rev-parse", "--show-prefix"])?.is_empty() {
            args.push(".");
        }
        let output = self.run(&args)?;
        ensure!(output.status.success(), "cannot list commits: {}", text(&output.stderr));
        let log = String::from_utf8_lossy(&output.stdout);
        Ok(log.split('\0').filter_map(commit).collect())
    }

    /// What is not committed, as `git status` lists it: a line for each path.
    pub(crate) fn changes(&self) -> Result<Vec<String>> {
        let output =
            self.run(&["-c", "core.quotePath=false", "status", "--porcelain", "--untracked-files=normal"])?;
        ensure!(output.status.success(), "cannot tell what has changed: {}", text(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// The files that the commit `revision` changes, from the folder; those outside of it begin with `../`.
    pub(crate) fn files_of(&self, revision: &str) -> Result<Vec<String>> {
        let parent = format!("{revision}^");
        let top = self.read(&["rev-parse", "--show-cdup"])?;
        let prefix = self.read(&["rev-parse", "--show-prefix"])?;
        let listed =
            self.read(&["diff-tree", "-r", "-z", "--name-only", "--no-renames", &parent, revision])?;
        let paths = listed.split('\0').filter(|path| !path.is_empty());
        Ok(paths
            .map(|path| path.strip_prefix(&prefix).map_or_else(|| format!("{top}{path}"), str::to_owned))
            .collect())
    }

    /// What the file at `path`, from the folder, says in `revision`, as it would be checked out; none if it is not there.
    pub(crate) fn content(&self, revision: &str, path: &str) -> Result<Option<String>> {
        let object = format!("{revision}:./{path}");
        if !self.run(&["cat-file", "-e", &object])?.status.success() {
            return Ok(None);
        }
        let output = self.run(&["cat-file", "--filters", &object])?;
        ensure!(output.status.success(), "cannot read {path} of {revision}: {}", text(&output.stderr));
        Ok(Some(
            String::from_utf8(output.stdout)
                .with_context(|| format!("{path} of {revision} is not in UTF-8"))?,
        ))
    }

    /// The names of remotes.
    pub(crate) fn remotes(&self) -> Result<Vec<String>> {
        Ok(self.read(&["remote"])?.lines().map(str::to_owned).collect())
    }

    /// The references that a remote has, each with the hash that it stands for; only those that match `patterns`, if there
    /// are any.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn references_of(&self, remote: &str, patterns: &[&str]) -> Result<Vec<(String, String)>> {
        let output = self.run(&[&["ls-remote", "--", remote], patterns].concat())?;
        ensure!(output.status.success(), "the remote {remote} does not answer: {}", text(&output.stderr));
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(lines
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(hash, name)| (name.into(), hash.into()))
            .collect())
    }

    /// Has git do something.
    ///
    /// # Errors
    /// It refuses; what it says is in the error.
    pub(crate) fn act(&self, args: &[&str]) -> Result<()> {
        self.read(args).map(drop)
    }

    /// What git prints, without the ends of lines after it.
    pub(crate) fn read(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args)?;
        if !output.status.success() {
            let said = [text(&output.stdout), text(&output.stderr)].join("\n");
            bail!("`git {}` failed: {}", args.first().unwrap_or(&""), said.trim());
        }
        Ok(text(&output.stdout))
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        // Nobody is there to type a password.
        let mut git = Command::new("git");
        git.args(args).current_dir(&self.folder).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
        git.output().context("cannot start git, which has to be on PATH")
    }
}

/// Reads a hash, its parents and a message, each from a line of its own on.
fn commit(record: &str) -> Option<Commit> {
    let mut parts = record.splitn(3, '\n');
    let (hash, parents, message) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Commit { hash: hash.to_owned(), is_merge: parents.contains(' '), message: message.to_owned() })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
