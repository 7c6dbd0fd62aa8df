//! The template: how projects are made of it, and follow it.

mod adopted;
mod answers;
mod apply;
mod cli;
mod drift;
mod expression;
mod flags;
mod git;
mod marked;
mod merge;
mod name;
mod pull_request;
mod questions;
mod record;
mod render;
mod source;
mod template;
mod tree;
mod update;
// template: if is_template
mod adopt;
mod conditions;
mod folder;
mod init;
mod lock;
mod pack;
mod rhai;
// template: end

use std::env;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::flags::TemplateTask;
use crate::update::Said;

fn main() -> ExitCode {
    // That nobody may be there to read it is no reason to fail otherwise.
    match run(Cli::parse().command) {
        Ok(Said { text, hint, is_good }) => {
            for said in [text.trim_end(), hint].into_iter().filter(|said| !said.is_empty()) {
                let _ = writeln!(std::io::stdout(), "{said}");
            }
            if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<Said> {
    let root = env::current_dir().context("the current folder")?;
    let text = match command {
        Command::Template(TemplateTask::Update(flags)) if flags.pull_request => {
            return pull_request::run(&root, &flags);
        }
        Command::Template(TemplateTask::Update(flags)) => return update::run(&root, &flags),
        Command::Template(TemplateTask::Diff) => drift::run(&root)?,
        // template: if is_template
        Command::Template(TemplateTask::Pack { check }) => pack::run(&root, check).map(|()| String::new())?,
        Command::Init(flags) => init::run(&root, &flags).map(|()| String::new())?,
        Command::Adopt { flags, dry_run } => adopt::run(&root, &flags, dry_run).map(|()| String::new())?,
        Command::Render(flags) => init::into_folder(&root, &flags).map(|()| String::new())?,
        // template: end
    };
    Ok(Said::good(text))
}
