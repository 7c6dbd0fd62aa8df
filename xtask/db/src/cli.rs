//! Every flag: the `--help` contract.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use xtask_db::Backend;

/// Throw-away databases, for tests and for sqlx's query cache.
#[derive(Debug, Parser)]
#[command(name = "xtask-db", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a command beside an empty database server, which ends with it.
    ///
    /// The command gets TEST_DATABASE_URL, the URL of an administrator, and, where the server was started here,
    /// TEST_DATABASE_CA and TEST_DATABASE_OTHER_CA: files with the certificates of the authority that signed the server's
    /// and of one that did not. The exit code is the command's.
    Exec(ExecFlags),
    /// Compares or replaces sqlx's query cache.
    Queries {
        #[command(subcommand)]
        command: QueriesCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExecFlags {
    /// Which database, as cargo features name it
    #[arg(long)]
    pub(crate) backend: Backend,
    /// Folder of migrations to run before the command
    #[arg(long, value_name = "DIR")]
    pub(crate) migrate: Option<PathBuf>,
    /// Has sqlx's macros in the command ask this database, and write what they learn to this folder, emptied before
    #[arg(long, value_name = "DIR")]
    pub(crate) queries: Option<PathBuf>,
    /// The command and its arguments
    #[arg(required = true, last = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueriesCommand {
    /// Names the queries that are missing, stale or superfluous in a cache; exits with 1 if there are any.
    Check {
        #[command(flatten)]
        folders: Folders,
        /// The command that repairs it, for the message
        #[arg(long, value_name = "COMMAND")]
        repair: String,
    },
    /// Puts a fresh cache in the place of one that is kept, unless they are the same.
    Replace(Folders),
}

#[derive(Debug, Args)]
pub(crate) struct Folders {
    /// The folder that `exec --queries` has filled
    pub(crate) fresh: PathBuf,
    /// The folder that is kept with the sources
    pub(crate) kept: PathBuf,
}
