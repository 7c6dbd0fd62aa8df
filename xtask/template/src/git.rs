//! The project's repository, and the folder in git's own that an update works in.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// A repository, seen from a project in it.
#[derive(Debug)]
pub(crate) struct Git {
    /// The root of the work tree; git runs here.
    pub(crate) top: PathBuf,
    /// The project's folder from there, with a slash at its end; empty where it is the root.
    pub(crate) prefix: String,
    /// A folder of our own beside the index.
    pub(crate) own: PathBuf,
    /// What git finds in its environment.
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
}

impl Git {
    /// The repository that the project in `root` is in.
    ///
    /// # Errors
    /// There is none, or it has no commit yet.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let mut git = Self {
            top: root.to_owned(),
            prefix: String::new(),
            own: PathBuf::new(),
            environment: Vec::new(),
        };
        let top = git.read(&["rev-parse", "--show-toplevel"]).map_err(|error| {
            error.context(format!(
                "{} is in no work tree of git, and an update is a merge: `git init`, and commit first",
                root.display()
            ))
        })?;
        git.prefix = git.read(&["rev-parse", "--show-prefix"])?;
        git.own = root.join(git.read(&["rev-parse", "--git-path", "xtask-template"])?);
        git.top = PathBuf::from(top);
        ensure!(
            git.run(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"], b"")?.status.success(),
            "there is no commit yet, and an update is a merge with what is committed: commit first"
        );
        Ok(git)
    }

    /// The same repository with another index.
    pub(crate) fn with_index(&self, index: PathBuf) -> Self {
        self.with(vec![("GIT_INDEX_FILE", index)])
    }

    /// The same work tree, with more in git's environment.
    pub(crate) fn with(&self, environment: Vec<(&'static str, PathBuf)>) -> Self {
        Self {
            top: self.top.clone(),
            prefix: self.prefix.clone(),
            own: self.own.clone(),
            environment: [self.environment.clone(), environment].concat(),
        }
    }

    /// Sees that nobody else is at work here, until the file is dropped, and removes what a run that was killed has left,
    /// but for what the next one needs.
    ///
    /// # Errors
    /// Somebody is, or git's folder cannot be written.
    pub(crate) fn lock(&self) -> Result<File> {
        let place = || self.own.display().to_string();
        fs::create_dir_all(&self.own).with_context(place)?;
        let lock = File::create(self.own.join("lock")).with_context(place)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another `cargo xtask template` is at work here; wait for it")
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(place),
        }
        self.clear()?;
        Ok(lock)
    }

    /// A folder for what is of no use after this run.
    pub(crate) fn work(&self) -> PathBuf {
        self.own.join("work")
    }

    /// Removes that folder.
    ///
    /// # Errors
    /// It is there, and cannot be removed.
    pub(crate) fn clear(&self) -> Result<()> {
        let work = self.work();
        if work.exists() {
            fs::remove_dir_all(&work).with_context(|| work.display().to_string())?;
        }
        Ok(())
    }

    /// What is not committed, a path in each line.
    pub(crate) fn changes(&self) -> Result<String> {
        self.read(&["-c", "core.quotePath=false", "status", "--porcelain", "--untracked-files=normal"])
    }

    /// What git prints, without the end of the last line.
    ///
    /// # Errors
    /// It fails; says what it said.
    pub(crate) fn read(&self, arguments: &[&str]) -> Result<String> {
        let text = String::from_utf8(self.feed(arguments, b"")?).context("what git prints is not UTF-8")?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Paths that git prints with zeros behind them.
    ///
    /// # Errors
    /// It fails, or a path is not UTF-8.
    pub(crate) fn paths(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let text = String::from_utf8(self.feed(arguments, b"")?).context("a file's name is not UTF-8")?;
        Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// What git prints, and what it is given to read.
    ///
    /// # Errors
    /// It fails; says what it said.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        printed(self.run(arguments, input)?, arguments)
    }

    /// Runs git, however it ends.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Output> {
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        answer(command(&self.top, arguments).envs(environment), input)
    }
}

/// What git prints in a folder, and what it is given to read.
///
/// # Errors
/// It fails; says what it said.
pub(crate) fn print(folder: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    printed(answer(&mut command(folder, arguments), input)?, arguments)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(folder)
        // As hooks and `git rebase --exec` have them: they mean what git is at, and not always this.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        // Nobody is there to type a password, and what only looks takes no lock that could stay behind.
        .envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")]);
    command
}

fn printed(output: Output, arguments: &[&str]) -> Result<Vec<u8>> {
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// Runs git, or what works with it, to its end, however that is, with something to read.
///
/// # Errors
/// It cannot be started.
pub(crate) fn answer(command: &mut Command, input: &[u8]) -> Result<Output> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(
            || format!("{} is needed, and could not be started", command.get_program().to_string_lossy()),
        )?;
    let mut stdin = child.stdin.take().context("there is no input")?;
    let input = input.to_vec();
    // Beside its output, which it may wait for somebody to read. It says itself why it ended early.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().context("the output")?;
    let _ = writer.join();
    Ok(output)
}
