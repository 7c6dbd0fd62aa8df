//! `doctor`: what this machine has, what it lacks, and how to install it.

use std::process::ExitCode;

use crate::cli::Linker;
use crate::config::Config;
use crate::report::{Report, ToolStatus};
use crate::tools::buildx::{self, Buildx};
use crate::tools::{Compose, TABLE, server_version};

/// Reports every tool; fails only when `cargo xtask bd` cannot work.
pub(crate) fn run(config: &Config, report: &mut Report) -> ExitCode {
    let tools = &config.host.tools;
    let programs = TABLE.iter().map(|tool| ToolStatus {
        name: tool.program.to_owned(),
        version: tools.has(tool.program).then(|| tool.installed_version().unwrap_or_else(|| "?".to_owned())),
        purpose: tool.purpose.to_owned(),
        install: tool.install.to_owned(),
        required: tool.required,
    });
    let compose = ToolStatus {
        name: "docker compose".to_owned(),
        version: tools.compose.as_ref().map(|compose| compose.version.clone()),
        purpose: format!("up: the service beside its database; {} or later", Compose::OLDEST),
        install: Compose::INSTALL.to_owned(),
        required: false,
    };
    let targets = config.pipeline.build.platforms.iter().map(|platform| {
        let target = format!("{}-unknown-linux-musl", platform.rust_arch());
        ToolStatus {
            version: tools.has_target(&target).then(|| "installed".to_owned()),
            purpose: format!("static binaries for {platform} by zigbuild or musl-gcc"),
            install: format!("rustup target add {target}"),
            required: false,
            name: target,
        }
    });
    let zig = ToolStatus {
        name: "zig".to_owned(),
        version: tools.zig.then(|| "found".to_owned()),
        purpose: "the linker and C compiler of cargo-zigbuild".to_owned(),
        install: "pip install ziglang==0.15.2".to_owned(),
        required: false,
    };
    let buildx = ToolStatus {
        name: "docker buildx".to_owned(),
        version: tools.buildx.as_ref().map(Buildx::describe),
        purpose: "builder: BuildKit, here and on other machines".to_owned(),
        install: buildx::INSTALL.to_owned(),
        required: false,
    };
    let databases = tools.databases.iter().filter_map(|(backend, found)| {
        Some(ToolStatus {
            name: backend.to_string(),
            version: found.as_ref().ok().map(server_version),
            purpose: "sqlx, check: a throw-away server".to_owned(),
            install: backend.install()?.to_owned(),
            required: false,
        })
    });
    let all = programs.chain([buildx, compose, zig]).chain(targets).chain(databases).collect::<Vec<_>>();

    let lacks_required = all.iter().any(|tool| tool.required && tool.version.is_none());
    let platform = config.own_platform();
    let linking = super::linking::choose(config, Linker::Auto, &[platform]);
    let verdict = match &linking {
        _ if lacks_required => "`cargo xtask bd` cannot work: install what is marked as required".to_owned(),
        Err(error) => format!("`cargo xtask bd` cannot work: {error:#}"),
        Ok(way) => format!("`cargo xtask bd` works: it links for {platform} by {}", way.by),
    };
    report.tools(&all, &verdict);
    if lacks_required || linking.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
