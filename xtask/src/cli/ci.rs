//! Flags of `ci`.

use clap::{Args, Subcommand};

/// What workflows of continuous integration ask for.
#[derive(Debug, Subcommand)]
pub(crate) enum CiTask {
    /// Print the jobs that follow from config/pipeline.toml, as one line of JSON
    Matrix(MatrixFlags),
}

/// Flags of `ci matrix`.
#[derive(Debug, Default, Args)]
pub(crate) struct MatrixFlags {
    /// Put NAME= before it, as the file that GITHUB_OUTPUT names wants it
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}
