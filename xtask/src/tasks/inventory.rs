//! Everything that the pipeline can use, for this configuration: what of it this machine has, and what it lacks.

use db_servers::Source;

use crate::config::Config;
use crate::platform;
use crate::tools::{Compose, Goal, Install, Mac, NATIVE, TABLE, Tool, buildx, server_version, target};

/// Something that the pipeline can use.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The program, or the name of what is installed.
    pub(super) name: String,
    /// What it is for.
    pub(super) purpose: String,
    /// How it is installed.
    pub(super) install: Install,
    /// Whether nothing works without it.
    pub(super) required: bool,
    /// What needs it.
    pub(super) goals: &'static [Goal],
    /// Whether it is there.
    pub(super) state: State,
}

/// Whether something is there.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// It is not.
    Missing,
    /// It is, but of a version that is of no use.
    Old(String),
    /// It is, and can be asked for its version.
    Program(&'static Tool),
    /// It is: a server, or where one can come from.
    Server(Source),
    /// It is, and this is known of its version.
    Known(String),
}

impl Item {
    /// Whether it is not there.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing | State::Old(_))
    }

    /// Asks it for its version, which may start it; none where it is not there.
    pub(super) fn version(&self) -> Option<String> {
        match &self.state {
            State::Missing => None,
            State::Program(tool) => Some(tool.installed_version().unwrap_or_else(|| "?".to_owned())),
            State::Server(source) => Some(server_version(source)),
            State::Known(version) | State::Old(version) => Some(version.clone()),
        }
    }
}

/// What is of no use where there are no workflows.
const OF_WORKFLOWS: [&str; 2] = ["actionlint", "zizmor"];

/// Everything, in the order in which it is shown and installed.
pub(super) fn of(config: &Config) -> Vec<Item> {
    let is_of_use = |tool: &&Tool| config.has_workflows || !OF_WORKFLOWS.contains(&tool.program);
    let programs = TABLE.iter().filter(is_of_use).map(|tool| program(config, tool));
    programs.chain(plugins(config)).chain(targets(config)).chain(databases(config)).collect()
}

/// What is needed for `goal` and not there.
pub(super) fn missing(config: &Config, goal: Goal) -> Vec<Item> {
    of(config).into_iter().filter(|item| item.is_missing() && item.goals.contains(&goal)).collect()
}

fn program(config: &Config, tool: &'static Tool) -> Item {
    let tools = &config.host.tools;
    let is_there = match tool.program {
        "python3" => tools.has("python3") && tools.system.has_venv,
        "llvm-profdata" => tools.profdata.is_some(), // template: if pipeline_tests
        program => tools.has(program),
    };
    let state = match tool.program {
        // template: if pipeline_tests
        "llvm-profdata" if is_there && !tools.has("llvm-profdata") => {
            State::Known("in the toolchain".to_owned())
        }
        // template: end
        _ if is_there => State::Program(tool),
        "zig" if tools.zig => State::Known("found".to_owned()),
        _ => State::Missing,
    };
    let Tool { program, purpose, install, required, goals, .. } = *tool;
    Item { name: program.to_owned(), purpose: purpose.to_owned(), install, required, goals, state }
}

/// Docker's plugins, which are not on PATH.
fn plugins(config: &Config) -> [Item; 2] {
    let tools = &config.host.tools;
    let buildx = match &tools.buildx {
        None => State::Missing,
        Some(buildx) if buildx.is_too_old() => State::Old(buildx.describe()),
        Some(buildx) => State::Known(buildx.describe()),
    };
    let compose = tools.compose.as_ref().map(|compose| State::Known(compose.version.clone()));
    [
        Item {
            name: "docker buildx".to_owned(),
            purpose: "builder: BuildKit, here and on other machines".to_owned(),
            install: Install::Url(buildx::INSTALL),
            required: false,
            goals: &[Goal::Buildkit],
            state: buildx,
        },
        Item {
            name: "docker compose".to_owned(),
            purpose: format!("up: the service beside its database; {} or later", Compose::OLDEST),
            install: Install::Url(Compose::INSTALL),
            required: false,
            goals: &[],
            state: compose.unwrap_or(State::Missing),
        },
    ]
}

fn targets(config: &Config) -> impl Iterator<Item = Item> {
    config.pipeline.build.platforms.iter().map(|platform| {
        let name = target(*platform, "musl");
        let is_there = config.host.tools.has_target(&name);
        Item {
            purpose: format!("static binaries for {platform} by zigbuild or musl-gcc"),
            install: Install::Target(*platform),
            required: false,
            goals: NATIVE,
            state: if is_there { State::Known("installed".to_owned()) } else { State::Missing },
            name,
        }
    })
}

fn databases(config: &Config) -> impl Iterator<Item = Item> {
    config.host.tools.databases.iter().filter_map(|(backend, found)| {
        let packages = backend.facts()?.packages;
        let is_configured = config.pipeline.build.backends.iter().any(|name| name == backend.name());
        Some(Item {
            name: backend.to_string(),
            purpose: "sqlx, check: a throw-away server".to_owned(),
            install: Install::Package { apt: packages.apt, mac: Mac::Brew(packages.brew) },
            required: false,
            goals: if is_configured && platform::LACKING.is_none() { &[Goal::Check] } else { &[] },
            state: found.as_ref().map_or(State::Missing, |source| State::Server(source.clone())),
        })
    })
}
