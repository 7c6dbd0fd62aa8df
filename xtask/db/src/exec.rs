//! Runs a command beside a throw-away server.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use xtask_db::{Options, Server, queries, sql};

use crate::cli::ExecFlags;

/// Starts the server, runs the command, ends the server. Returns the command's exit code.
pub(crate) fn run(flags: &ExecFlags) -> Result<ExitCode> {
    // A signal that comes while it starts ends this process, and the guardian tidies up.
    let server = Server::start(flags.backend, Options { fast: true })?;
    if let Some(folder) = &flags.migrate {
        sql::migrate(server.url(), folder)?;
    }
    let queries = flags.queries.as_deref().map(emptied).transpose()?;
    let mut command = Command::new(&flags.command[0]);
    command.args(&flags.command[1..]).env("TEST_DATABASE_URL", server.url());
    for (name, path) in [("TEST_DATABASE_CA", server.ca()), ("TEST_DATABASE_OTHER_CA", server.other_ca())] {
        match path {
            Some(path) => command.env(name, path),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = &queries {
        command.env("DATABASE_URL", server.url()).env("SQLX_OFFLINE_DIR", folder);
        // Whatever the environment or a file `.env` says.
        command.env("SQLX_OFFLINE", "false");
    }
    let status = wait(&mut command)?;
    if let (Some(folder), Some(name)) = (&queries, server.made_up_name()) {
        queries::rename_database(folder, name)?;
    }
    drop(server);
    Ok(exit_code(status))
}

/// The folder as an absolute path, there and empty. Macros look at it from the folder of the compiled package.
fn emptied(folder: &Path) -> Result<PathBuf> {
    let emptied = || {
        let folder = absolute(folder)?;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&folder).map(|()| folder),
        }
    };
    emptied().with_context(|| format!("cannot empty {}", folder.display()))
}

/// Runs `command` to its end, and hands on to it what this process is asked to stop with.
fn wait(command: &mut Command) -> Result<ExitStatus> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot handle signals")?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("cannot start `{program}`"))?;
    let pid = Pid::from_child(&child);
    let handle = signals.handle();
    let forward = thread::spawn(move || {
        for signal in &mut signals {
            // In a terminal the command gets Ctrl-C by itself as well; twice does no harm.
            if let Some(signal) = Signal::from_named_raw(signal) {
                let _ = kill_process(pid, signal);
            }
        }
    });
    let status = child.wait();
    handle.close();
    drop(forward.join());
    status.context("cannot wait for the command")
}

/// As shells report it: 128 and the number for a command that a signal ended.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
