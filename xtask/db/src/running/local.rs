//! A server in processes of this machine.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use db_servers::{Backend, Programs};
use rustix::process::Signal;

use super::guardian::Guardian;
use super::user::User;
use super::{Access, Kind, random, tls, tree};
use crate::server::{Options, new_folder};

/// How long a server may take to answer, with recovery after a crash, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// How many lines of a server's log an error shows.
const LINES: usize = 15;

/// What is particular to one kind of server.
pub(super) struct Recipe {
    /// Accounts that root can run it as; the first that there is.
    pub(super) accounts: &'static [&'static str],
    /// Files that it reads, with secrets in them.
    pub(super) files: Vec<(&'static str, String)>,
    /// Makes the data folder.
    pub(super) initialise: Vec<String>,
    /// Serves.
    pub(super) serve: Vec<String>,
    /// Asks it to stop.
    pub(super) stop: Signal,
    /// The name of the signal that ends it at once, tidily where it can.
    pub(super) abort: &'static str,
    /// The administrator's URL.
    pub(super) url: String,
}

/// The server.
pub(crate) struct Local {
    kind: &'static Kind,
    recipe: Recipe,
    folder: PathBuf,
    port: u16,
    user: User,
    guardian: Guardian,
    child: Option<Child>,
}

impl Local {
    /// Makes an empty database and serves it.
    pub(super) fn start(backend: Backend, programs: &Programs, options: Options) -> Result<(Local, Access)> {
        let folder = new_folder(backend)?;
        let port = random::free_port()?;
        let password = random::secret()?;
        let kind = Kind::of(backend)?;
        let recipe = (kind.local)(programs, folder.path(), port, &password, options);
        let user = User::choose(recipe.accounts)?;
        let guardian = Guardian::of_processes(folder.path(), recipe.abort)?;
        // From here on the guardian removes it.
        let folder = folder.keep();
        let mut local = Local { kind, recipe, folder, port, user, guardian, child: None };

        user.own(&local.folder)?;
        for (name, text) in &local.recipe.files {
            user.write(&local.folder.join(name), text)?;
        }
        let ca = Some(tls::write(&local.folder, user)?);
        local.initialise()?;
        local.start_again()?;
        let url = local.recipe.url.clone();
        Ok((local, Access { url, ca }))
    }

    fn initialise(&mut self) -> Result<()> {
        let mut child = self.spawn(&self.recipe.initialise)?;
        self.guardian.watch(&[number(&child)]);
        let status = child.wait().context("cannot wait for it")?;
        self.guardian.watch(&[]);
        if !status.success() {
            // The reason comes first, and then much advice.
            let log = self.log();
            bail!("`{}` failed:\n{}", self.recipe.initialise[0], lines(log.lines().take(LINES)));
        }
        Ok(())
    }

    /// Serves what is in the folder, and waits until it answers.
    pub(super) fn start_again(&mut self) -> Result<()> {
        if self.child.is_some() {
            bail!("the server is running already");
        }
        let child = self.spawn(&self.recipe.serve)?;
        self.guardian.watch(&[number(&child)]);
        let child = self.child.insert(child);
        let began = Instant::now();
        while !(self.kind.is_ready)(self.port) {
            let is_over = child.try_wait().context("cannot look at the server")?.is_some();
            if is_over || began.elapsed() > PATIENCE {
                let what = if is_over { "ended at once" } else { "does not answer" };
                bail!("`{}` {what}:\n{}", self.recipe.serve[0], self.last_words());
            }
            sleep(INTERVAL);
        }
        Ok(())
    }

    /// SIGKILL for all of it.
    pub(super) fn kill(&mut self) -> Result<()> {
        let leader = self.leader()?;
        // A leader that stands still starts no further process.
        tree::signal(leader, Signal::STOP);
        let all = tree::with_children(leader)?;
        all.iter().for_each(|pid| tree::signal(*pid, Signal::KILL));
        self.collect()?;
        wait_until(PATIENCE, || Ok(!tree::is_any_alive(&all)?))?;
        Ok(())
    }

    /// SIGSTOP for all of it.
    pub(super) fn pause(&mut self) -> Result<()> {
        let leader = self.leader()?;
        tree::signal(leader, Signal::STOP);
        let all = tree::with_children(leader)?;
        // They would not notice that their leader has gone.
        self.guardian.watch(&all);
        all.iter().for_each(|pid| tree::signal(*pid, Signal::STOP));
        Ok(())
    }

    /// SIGCONT for all of it.
    pub(super) fn resume(&mut self) -> Result<()> {
        let leader = self.leader()?;
        tree::with_children(leader)?.iter().rev().for_each(|pid| tree::signal(*pid, Signal::CONT));
        self.guardian.watch(&[leader]);
        Ok(())
    }

    /// Stops it in an orderly way.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.resume()?;
        tree::signal(self.leader()?, self.recipe.stop);
        let is_over = wait_until(PATIENCE, || match &mut self.child {
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(true),
        })?;
        if !is_over {
            bail!("the server does not stop:\n{}", self.last_words());
        }
        self.collect()
    }

    fn leader(&self) -> Result<i32> {
        self.child.as_ref().map(number).context("the server is not running")
    }

    /// Waits for the leader, and forgets it.
    fn collect(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.wait().context("cannot wait for the server")?;
        }
        self.guardian.watch(&[]);
        Ok(())
    }

    fn spawn(&self, argv: &[String]) -> Result<Child> {
        let log = || File::options().create(true).append(true).open(self.folder.join("log"));
        let spawn = || {
            let mut command = self.user.command(argv);
            command.stdin(Stdio::null()).stdout(log()?).stderr(log()?).current_dir(&self.folder);
            // Ctrl-C is for the command that uses the server, which is to end first.
            command.process_group(0).spawn()
        };
        spawn().with_context(|| format!("cannot start `{}`", argv[0]))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The last lines that the server wrote.
    fn last_words(&self) -> String {
        let log = self.log();
        let count = log.lines().count();
        lines(log.lines().skip(count.saturating_sub(LINES)))
    }
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

impl Drop for Local {
    fn drop(&mut self) {
        let child = &mut self.child;
        // A child that is not waited for looks alive to the guardian.
        self.guardian.end(|| drop(child.as_mut().map(Child::try_wait)));
        if let Some(child) = child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn number(child: &Child) -> i32 {
    // Process numbers are positive and far below the limit of i32 on every system.
    i32::try_from(child.id()).unwrap_or_default()
}

/// Whether `is_so` became true in time.
fn wait_until(patience: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<bool> {
    let began = Instant::now();
    while !is_so()? {
        if began.elapsed() > patience {
            return Ok(false);
        }
        sleep(INTERVAL);
    }
    Ok(true)
}
