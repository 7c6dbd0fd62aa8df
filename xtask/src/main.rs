//! `cargo xtask`: turns the service into container images.
//!
//! Data flows one way: flags, `config/pipeline.toml` and the host become a [`config::Config`], a task makes a
//! [`plan::Plan`] of it, the [`runner`] executes the plan, and the [`report`] shows the events.

mod cli;
mod config;
mod error;
mod plan;
mod report;
mod runner;
mod tasks;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, RegistryTask, Task};
use crate::config::{Config, Pipeline};
use crate::plan::Plan;
use crate::report::Report;
use crate::tasks::bdp::Push;
use crate::tools::Need;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Task::Watchdog = cli.task {
        return runner::watchdog::main();
    }
    if let Task::Sccache { cache } = &cli.task {
        return runner::sccache::main(cache);
    }
    let mut report = Report::new(cli.run.message_format, cli.run.quiet);
    match run(&cli, &mut report) {
        Ok(code) => code,
        Err(error) => {
            report.error(&error);
            ExitCode::from(error::exit_code(&error))
        }
    }
}

fn run(cli: &Cli, report: &mut Report) -> Result<ExitCode> {
    let plan = match &cli.task {
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
            let push = Push { dry_run: cli.run.dry_run, sign: flags.sign.as_deref() };
            tasks::bdp::plan(&config, &flags.image, &config.pipeline.build.platforms, push)?
        }
        Task::Verify(flags) => tasks::verify::plan(&Config::load(Need::Compiler)?, flags)?,
        Task::Scan(flags) => tasks::scan::plan(&Config::load(Need::Compiler)?, flags)?,
        Task::Registry { task: RegistryTask::Check { repository } } => {
            tasks::registry::plan(&Config::load(Need::Nothing)?, repository.as_ref())?
        }
        Task::Builder { task } => tasks::builder::plan(&Config::load(Need::Builder)?, *task)?,
        Task::Pin => tasks::pin::plan(&Config::load(Need::Nothing)?)?,
        Task::Check => tasks::check::plan(&Config::load(Need::Databases)?)?,
        Task::Sqlx { task } => tasks::sqlx::plan(&Config::load(Need::Databases)?, task)?,
        Task::Soak(flags) => tasks::soak::plan(&Config::load(Need::Compiler)?, flags)?,
        Task::Doctor => return Ok(tasks::doctor::run(&Config::load(Need::Everything)?, report)),
        Task::Watchdog | Task::Sccache { .. } => Plan::default(),
    };
    if cli.run.dry_run && !matches!(cli.task, Task::Bdp(_)) {
        report.plan(&plan);
        return Ok(ExitCode::SUCCESS);
    }
    runner::run(&plan, cli.run.jobs, report)
}
