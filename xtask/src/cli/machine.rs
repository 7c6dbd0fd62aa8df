//! Flags of the tasks that look after the machine.

use clap::Args;

use super::MessageFormat;
use crate::tools::Goal;

/// Flags of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorFlags {
    /// List only what this needs, and fail when some of it is missing
    #[arg(long = "for", value_name = "GOAL")]
    pub(crate) goal: Option<Goal>,
    /// What the list is written as: json is one document
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: MessageFormat,
}

/// Flags of `setup`.
#[derive(Debug, Args)]
pub(crate) struct SetupFlags {
    /// What the machine is to be able to do
    #[arg(long = "for", value_name = "GOAL", default_value = "native")]
    pub(crate) goal: Goal,
    /// Also install packages of the system, by apt-get or brew; otherwise their commands are only shown
    #[arg(long)]
    pub(crate) system: bool,
    /// Install without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
}
