//! The command line: what `cargo xtask` hands on.

use clap::{Parser, Subcommand};

use crate::flags::TemplateTask;
// template: if is_template
use crate::flags::{AdoptFlags, InitFlags};
// template: end

/// Projects made of the template.
#[derive(Debug, Parser)]
#[command(name = "xtask-template", disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// With the template, or in a project
    #[command(flatten)]
    Template(TemplateTask),
    // template: if is_template
    /// Makes a project of this clone of the template
    Init(InitFlags),
    /// Adds the pipeline to a project that was there before
    Adopt {
        /// The project, and answers
        #[command(flatten)]
        flags: AdoptFlags,

        /// Only show the plan
        #[arg(long)]
        dry_run: bool,
    },
    /// Writes a project into another folder
    Render(RenderFlags),
    // template: end
}
// template: if is_template

/// Flags of `render`.
#[derive(Debug, clap::Args)]
pub(crate) struct RenderFlags {
    /// The project's name, and answers
    #[command(flatten)]
    pub(crate) answers: InitFlags,

    /// Folder that is made
    pub(crate) folder: std::path::PathBuf,
}
// template: end
