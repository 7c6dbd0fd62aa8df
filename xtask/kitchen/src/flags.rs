//! Flags that `cargo xtask` takes as well, and hands on: it is too light to depend on what they are for.

use clap::{Args, Subcommand};

/// Flags of `kitchen`.
#[derive(Clone, Debug, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct KitchenFlags {
    #[command(subcommand)]
    pub(crate) task: Option<KitchenTask>,

    /// Port on 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 4848)]
    pub(crate) port: u16,

    /// Open the page in a browser
    #[arg(long)]
    pub(crate) open: bool,

    /// How many builds run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) at_once: u8,
}

/// What can be asked of a Kitchen that runs, from a shell.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KitchenTask {
    /// List the latest builds, and those that wait
    Builds,
    /// Print what a build has printed
    Logs {
        /// The build's number
        build: u32,
    },
    /// End a build, or take it out of the queue
    Kill {
        /// The build's number
        build: u32,
    },
}
