//! Every flag: the `--help` contract.

mod check;
mod ci;
mod clean;
mod command;
mod engine;
pub(crate) mod examples;
mod image;
mod machine;
mod output;
// xtask-release takes the same, and is too heavy to depend on.
#[path = "../../release/src/flags.rs"]
mod release_flags;
// So does xtask-template.
#[path = "../../template/src/flags.rs"]
mod template_flags;
// template: if pipeline_tests
// So do xtask-bench and xtask-soak.
#[path = "../../bench/src/flags.rs"]
mod bench_flags;
#[path = "../../soak/src/flags.rs"]
mod soak_flags;
// template: end
// template: if kitchen
// So does xtask-kitchen.
#[path = "../../kitchen/src/flags.rs"]
mod kitchen_flags;
// template: end
mod values;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use image_spec::Repository;

use crate::config::Sccache;
pub(crate) use bench_flags::BenchFlags; // template: if pipeline_tests
pub(crate) use check::CheckFlags;
pub(crate) use ci::{CiTask, MatrixFlags};
pub(crate) use clean::{CleanFlags, Limits};
pub(crate) use command::command;
#[cfg(all(test, unix))] // template: if pipeline_tests
pub(crate) use engine::EngineFlags; // template: if pipeline_tests
pub(crate) use image::{BdFlags, BdpFlags, BuildFlags, DownFlags, ImageFlags, ScanFlags, VerifyFlags};
pub(crate) use kitchen_flags::{KitchenFlags, KitchenTask}; // template: if kitchen
pub(crate) use machine::{DoctorFlags, SetupFlags};
pub(crate) use output::{Output, Store, TYPES as OUTPUT_TYPES};
#[cfg(test)] // template: if pipeline_tests
pub(crate) use release_flags::Bump; // template: if pipeline_tests
pub(crate) use release_flags::ReleaseFlags;
pub(crate) use soak_flags::{Format, Scenario, SoakFlags}; // template: if pipeline_tests
// template: if is_template
pub(crate) use template_flags::{AdoptFlags, InitFlags};
// template: end
pub(crate) use template_flags::{TemplateTask, UpdateFlags};
#[cfg(test)] // template: if pipeline_tests
pub(crate) use values::Severity; // template: if pipeline_tests
pub(crate) use values::{MessageFormat, Shell, Variant};
pub(crate) use watch::{HooksTask, Run, WatchFlags};

/// Turns the service into minimal, reproducible container images.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    /// The task's name, with dashes for spaces.
    #[arg(skip)]
    pub(crate) name: String,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    // template: if is_template
    /// Make a project of this clone of the template
    Init(InitFlags),
    /// Add the pipeline to a project that was there before, around its own binary
    Adopt(AdoptFlags),
    // template: end
    /// Build the service as a static binary under target/dist
    Build(BuildFlags),
    /// Build the service and its image; load it into Docker or podman when one runs
    Bd(BdFlags),
    /// Build the service and its image, and start it in Docker, beside its database
    Up(ImageFlags),
    /// End what `up` started
    Down(DownFlags),
    /// Build the service and its image for every platform, and push it to a registry
    Bdp(BdpFlags),
    /// Print what `bd --engine buildkit` has BuildKit do, for `docker buildx bake --file x.json`
    Bake(BdFlags),
    /// Fetch an image that was pushed, look at all of it, and compare it with what is built from this source again
    Verify(VerifyFlags),
    /// Look for known vulnerabilities in an image, by trivy or grype
    Scan(ScanFlags),
    /// Find out what a registry can do
    Registry {
        #[command(subcommand)]
        task: RegistryTask,
    },
    /// Make, show, start or remove the BuildKit builder that config/pipeline.toml describes
    Builder {
        #[command(subcommand)]
        task: BuilderTask,
    },
    /// Look up again which digests the images in config/pipeline.toml stand for
    Pin,
    /// Run the whole gate for every database: format, lints, query cache, dependencies, tests
    Check(CheckFlags),
    /// Renew or check the query cache that lets sqlx check SQL without a database
    Sqlx {
        #[command(subcommand)]
        task: SqlxTask,
    },
    // template: if pipeline_tests
    /// Put the service under load, and compare what it does with the figures that it is held to
    Soak(SoakFlags),
    /// Measure the pipeline against what people use, on this machine, and write a report with plots
    Bench(BenchFlags),
    // template: end
    /// Propose the next version from the commits since the last one; with --execute, write, commit and tag it
    Release(ReleaseFlags),
    /// Show what takes space in the target folder; remove what is old, or too much, with --older-than or --keep
    Clean(CleanFlags),
    /// After each change check, build and run the service anew, until Ctrl-C
    Watch(WatchFlags),
    /// Put the gate between git and a push, or take it away
    Hooks {
        #[command(subcommand)]
        task: HooksTask,
    },
    /// Follow the template that a project was made of
    Template {
        #[command(subcommand)]
        task: TemplateTask,
    },
    // template: if kitchen
    /// Open the build dashboard in a browser, or ask the one that is open
    Kitchen(KitchenFlags),
    // template: end
    /// List the tools that the pipeline can use, and how to install what is missing
    Doctor(DoctorFlags),
    /// Install what this machine lacks
    Setup(SetupFlags),
    /// Print what workflows of continuous integration need
    Ci {
        #[command(subcommand)]
        task: CiTask,
    },
    /// Print a script that has a shell complete what comes after `cargo xtask`
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write a man page of every task into a folder
    Man {
        /// The folder, from the workspace; made where it is not there
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Ends the steps of a run that was killed
    #[command(hide = true)]
    Watchdog,
    /// Brings up sccache's server for the steps that compile
    #[command(hide = true)]
    Sccache {
        /// Where compilations are kept
        cache: Sccache,
    },
    /// Compiles as cargo-zigbuild does, without what it finds out anew each time
    #[command(hide = true)]
    Zigbuild {
        /// Where that is kept
        #[arg(long)]
        folder: PathBuf,
        /// What `cargo build` gets
        #[arg(last = true)]
        args: Vec<String>,
    },
}

impl Task {
    // template: if kitchen
    /// Whether Kitchen's history has the runs of the task: those that build or test.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(
            self,
            Task::Build(_)
                | Task::Bd(_)
                | Task::Up(_)
                | Task::Bdp(_)
                | Task::Verify(_)
                | Task::Scan(_)
                | Task::Check(_)
        )
    }

    // template: end
    /// Whether a dry run of the task is more than to show its commands.
    pub(crate) fn has_own_dry_run(&self) -> bool {
        // template: if is_template
        if let Task::Adopt(_) = self {
            return true;
        }
        // template: end
        matches!(self, Task::Bdp(_))
    }
}

/// What can be done with a registry.
#[derive(Debug, Subcommand)]
pub(crate) enum RegistryTask {
    /// Push something small, and see whether zstd layers, indexes, referrers and mounts work
    Check {
        /// Where to [default: the repository in config/pipeline.toml]
        repository: Option<Repository>,
    },
}

/// What can be done with the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum BuilderTask {
    /// Make it, or make it anew where its settings have changed; its cache stays
    Create,
    /// Show its nodes, what they build for, and what its cache holds
    Status,
    /// Create it, and start its daemons
    Bootstrap,
    /// Remove it with its cache
    Remove,
}

/// What can be done with sqlx's query cache.
#[derive(Debug, Subcommand)]
pub(crate) enum SqlxTask {
    /// Ask throw-away databases about every query, and put the answers where the build finds them
    Prepare(SqlxFlags),
    /// Compare the cache with what throw-away databases say now
    Check(SqlxFlags),
}

/// Flags of `sqlx`.
#[derive(Debug, Default, Args)]
pub(crate) struct SqlxFlags {
    /// Database backend [default: all in config/pipeline.toml]
    #[arg(long)]
    pub(crate) backend: Option<String>,
}

/// How a plan is run and shown.
#[derive(Debug, Args)]
pub(crate) struct RunFlags {
    /// Print the commands, ready to paste into a shell, and run nothing; bdp builds, and says what a push would upload;
    /// clean says what would go
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Jobs in all, shared by every compiler [default: CARGO_BUILD_JOBS, or the number of cores]
    #[arg(short, long, value_name = "N", global = true)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Show only warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// How events are shown; json is described in docs/events.md
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    pub(crate) message_format: MessageFormat,
    /// Write a page with the waterfall of the run [default: target/timings/<task>-<time>.html]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, global = true)]
    pub(crate) timings: Option<Option<PathBuf>>,
}
