//! `cargo xtask`: turns the service into container images.
//!
//! Data flows one way: flags, `config/pipeline.toml` and the host become a [`config::Config`], a task makes a
//! [`plan::Plan`] of it, the [`runner`] executes the plan, and the [`report`] shows the events.

mod cli;
mod config;
mod disk;
mod error;
mod files;
mod git;
mod plan;
mod platform;
mod report;
mod runner;
mod sccache;
mod size;
mod tasks;
mod tools;
mod zigbuild;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{CiTask, Cli, MessageFormat, RegistryTask, Task};
use crate::config::{Config, Pipeline};
use crate::plan::Plan;
use crate::report::{Report, Timings};
use crate::tasks::bdp::Push;
use crate::tasks::check::Files;
use crate::tools::Need;

fn main() -> ExitCode {
    if let Some(record) = zigbuild::stands_in() {
        return ended(zigbuild::stand_in(&record), &mut Report::new(MessageFormat::Human, false));
    }
    let cli = Cli::from_args();
    if let Task::Watchdog = cli.task {
        return runner::watchdog::main();
    }
    if let Task::Sccache { cache } = &cli.task {
        return sccache::main(cache);
    }
    let mut report = Report::new(cli.run.message_format, cli.run.quiet);
    ended(run(&cli, &mut report), &mut report)
}

fn ended(result: Result<ExitCode>, report: &mut Report) -> ExitCode {
    result.unwrap_or_else(|error| {
        report.error(&error);
        ExitCode::from(error::exit_code(&error))
    })
}

fn run(cli: &Cli, report: &mut Report) -> Result<ExitCode> {
    let plan = match &cli.task {
        Task::Zigbuild { folder, args } => return zigbuild::main(folder, args),
        Task::Clean(flags) => return tasks::clean::run(flags, &cli.run, report),
        Task::Doctor(flags) => {
            return Ok(tasks::doctor::run(&Config::load(Need::Everything)?, flags, report));
        }
        Task::Completions { shell } => {
            let script = tasks::completions::product(&Config::load(Need::Nothing)?, *shell);
            report.products(&[script])?;
            return Ok(ExitCode::SUCCESS);
        }
        Task::Ci { task: CiTask::Matrix(flags) } => {
            report.products(&[tasks::ci::matrix(&Config::load(Need::Nothing)?, flags)?])?;
            return Ok(ExitCode::SUCCESS);
        }
        Task::Watch(flags) => {
            let load = || tasks::watch::plan(&Config::load_for(tasks::watch::need)?, flags, &cli.run);
            let watch = load()?;
            if !cli.run.dry_run {
                return runner::watch::run(watch, &load, report);
            }
            watch.plan()
        }
        Task::Setup(flags) => {
            let config = Config::load(Need::Everything)?;
            let plan = tasks::setup::plan(&config, flags);
            if let Some(code) = tasks::setup::ask(&config, &plan, flags, &cli.run, report)? {
                return Ok(code);
            }
            plan
        }
        task => plan(task, cli.run.dry_run)?,
    };
    if cli.run.dry_run && !cli.task.has_own_dry_run() {
        report.plan(&plan);
        return Ok(ExitCode::SUCCESS);
    }
    tasks::can_run(&plan, platform::LACKING)?;
    // template: if kitchen
    if cli.task.is_recorded() && !cli.run.dry_run {
        report.record_for_kitchen(&plan.cwd);
    }
    // template: end
    if let Some(file) = &cli.run.timings {
        let folder = config::target_dir(&plan.cwd).join("timings");
        report.record(Timings::new(&cli.name, file.as_deref(), &folder)?);
    }
    runner::run(&plan, config::jobs(cli.run.jobs)?, report)
}

/// The plan of a task that is one, of as much of the configuration as it needs.
fn plan(task: &Task, dry_run: bool) -> Result<Plan> {
    Ok(match task {
        Task::Init(flags) => tasks::template::init(&Config::load(Need::Nothing)?, flags), // template: if is_template
        // template: if is_template
        Task::Adopt(flags) => tasks::template::adopt(&Config::load(Need::Nothing)?, flags, dry_run),
        // template: end
        Task::Build(flags) => tasks::build::plan(&Config::load(Need::Compiler)?, flags)?,
        Task::Bd(flags) => {
            tasks::bd::plan(&Config::load_for(|pipeline| tasks::bd::need(pipeline, flags))?, flags)?
        }
        Task::Bake(flags) => tasks::bake::plan(&Config::load(Need::Buildkit(&[]))?, flags)?,
        Task::Up(flags) => tasks::up::plan(&Config::load(Need::Compose)?, flags)?,
        Task::Down(flags) => tasks::up::end(&Config::load(Need::Compose)?, flags)?,
        Task::Bdp(flags) => {
            let need = |pipeline: &Pipeline| tasks::engines::need(pipeline, &flags.image, Need::Compiler);
            let config = Config::load_for(need)?;
            let (sign, digest_file) = (flags.sign.as_deref(), flags.digest_file.as_deref());
            let push = Push { dry_run, sign, digest_file };
            tasks::bdp::plan(&config, &flags.image, &config.pipeline.build.platforms, push)?
        }
        Task::Verify(flags) => tasks::verify::plan(&Config::load(Need::Compiler)?, flags)?,
        Task::Scan(flags) => tasks::scan::plan(&Config::load(Need::Compiler)?, flags)?,
        Task::Registry { task: RegistryTask::Check { repository } } => {
            tasks::registry::plan(&Config::load(Need::Nothing)?, repository.as_ref())?
        }
        Task::Builder { task } => tasks::builder::plan(&Config::load(Need::Builder)?, *task)?,
        Task::Pin => tasks::pin::plan(&Config::load(Need::Nothing)?)?,
        Task::Check(flags) => {
            let config = Config::load(Need::Gate)?;
            tasks::check::plan(&config, &Files::read(&config, flags.since.as_deref())?, flags)?
        }
        Task::Sqlx { task } => tasks::sqlx::plan(&Config::load(Need::Databases)?, task)?,
        Task::Soak(flags) => tasks::soak::plan(&Config::load(Need::Compiler)?, flags)?, // template: if pipeline_tests
        Task::Bench(flags) => tasks::bench::plan(&Config::load(Need::Nothing)?, flags), // template: if pipeline_tests
        Task::Release(flags) => tasks::release::plan(&Config::load(Need::Nothing)?, flags)?,
        Task::Hooks { task } => tasks::hooks::plan(&Config::load(Need::Nothing)?, *task),
        Task::Template { task } => tasks::template::plan(&Config::load(Need::Nothing)?, task),
        Task::Kitchen(flags) => tasks::kitchen::plan(&Config::load(Need::Nothing)?, flags), // template: if kitchen
        Task::Man { folder } => tasks::man::plan(&Config::load(Need::Nothing)?, folder)?,
        // Done by now.
        Task::Clean(_) | Task::Doctor(_) | Task::Completions { .. } | Task::Ci { .. } => Plan::default(),
        Task::Watch(_) | Task::Setup(_) => Plan::default(),
        Task::Watchdog | Task::Sccache { .. } | Task::Zigbuild { .. } => Plan::default(),
    })
}
