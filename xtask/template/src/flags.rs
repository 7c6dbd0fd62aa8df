//! Flags that `cargo xtask` takes as well, and hands on: it is too light to depend on what they are for.

use clap::{Args, Subcommand};

// template: if is_template
/// Flags of `init`, with the names that cargo-generate has for them.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct InitFlags {
    /// What the project is called; asked without it
    #[arg(short, long)]
    pub(crate) name: Option<String>,

    /// An answer, by the name of its question in cargo-generate.toml; asked without it
    #[arg(short, long, value_name = "QUESTION=ANSWER")]
    pub(crate) define: Vec<String>,

    /// Ask nothing: what was not given is the default
    #[arg(short, long)]
    pub(crate) silent: bool,
}

/// Flags of `adopt`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AdoptFlags {
    /// The project's folder: a cargo workspace, or a package
    #[arg(value_name = "PROJECT", value_parser = absolute, value_hint = clap::ValueHint::DirPath)]
    pub(crate) project: std::path::PathBuf,

    /// The package of the service, where several have binaries
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Option<String>,

    /// The binary that a container runs, where the package has several
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Option<String>,

    /// A TCP port that the service listens on; searched for in its sources without it
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Vec<u16>,

    /// What image and builder are called [default: as the package]
    #[arg(short, long)]
    pub(crate) name: Option<String>,

    /// An answer, by the name of its question in cargo-generate.toml
    #[arg(short, long, value_name = "QUESTION=ANSWER")]
    pub(crate) define: Vec<String>,

    /// Ask nothing: what is not found is the default
    #[arg(short, long)]
    pub(crate) silent: bool,

    /// Do what the plan says without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Where the one who types it is, and not where the steps run.
fn absolute(path: &str) -> std::io::Result<std::path::PathBuf> {
    std::path::absolute(path)
}

// template: end
/// What can be done with the template.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TemplateTask {
    /// Bring a later version of the template to a project that was made of it; nothing is committed
    Update(UpdateFlags),
    /// List what a project has changed in the files that it has from the template, and who did it
    Diff,
    // template: if is_template
    /// Write the files that only cargo-generate needs, after a change to what they are made of
    Pack {
        /// Only say which of them are out of date
        #[arg(long)]
        check: bool,
    },
    // template: end
}

/// Flags of `template update`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct UpdateFlags {
    /// The version [default: the highest]
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,

    /// Change nothing: say what is behind, with exit code 1 if anything is
    #[arg(long)]
    pub(crate) check: bool,

    /// Leave the checkout as it is: push the update as a branch, and open a pull request by gh; asks nothing
    #[arg(long, conflicts_with = "check")]
    pub(crate) pull_request: bool,

    /// Ask nothing: the answer to a new question is its default
    #[arg(short, long)]
    pub(crate) silent: bool,
}
