//! The cargo profile `pgo`: what the service does most under load is compiled for speed, and the rest for size.
//!
//! Before the service is compiled, a build of it that counts is put under load; what comes of the counts is the profile
//! that rustc goes by, and stays. It counts by the names of functions, which differ between targets: each has its own.

use std::path::Path;

use anyhow::{Result, bail};
use image_spec::Platform;

use super::build::{self, Build, Planner};
use super::{beside_xtask, debug, rustflags, tool_argv, words};
use crate::config::{Config, Profile};
use crate::plan::Step;

const TRAINER: &str = "trainer";

/// Makes a profile of counts; it has its name only when it is whole. An llvm-profdata of an older LLVM cannot.
const MERGE: &str = r#"if "$1" merge --output "$3.new" "$2"; then mv "$3.new" "$3" && rm "$2"; else
echo 'the llvm-profdata that goes with this Rust: `rustup component add llvm-tools`' >&2; exit 1; fi"#;

/// Whether there will be a profile for everything that is built, before anything is compiled.
///
/// # Errors
/// For a profile that is not there and cannot be made here, and where cargo would take no flags for it.
pub(super) fn check(planner: &Planner<'_>, backends: &[&str]) -> Result<()> {
    if planner.profile() != Profile::Pgo {
        return Ok(());
    }
    if planner.config.host.rustflags.is_some() {
        let target = planner.linking.target(planner.platforms[0]);
        bail!(
            "RUSTFLAGS is set, and hides the flags of --profile pgo: unset it, or write it as `rustflags` below \
             [target.{target}] in .cargo/config.toml"
        );
    }
    for backend in backends {
        for platform in &planner.platforms {
            if planner.config.pgo.latest(&name(planner, backend, *platform)).is_none() {
                check_training(planner, backend, *platform)?;
            }
        }
    }
    Ok(())
}

fn check_training(planner: &Planner<'_>, backend: &str, platform: Platform) -> Result<()> {
    let config = planner.config;
    let folder = config.relative(&config.pgo.folder);
    let file = folder.join(config.pgo.pattern(&name(planner, backend, platform)));
    let file = file.display();
    if !config.pgo.may_train {
        bail!(
            "{file} is not there: only by the profile that it was built with does an image come out the same"
        );
    }
    if config.host.platform != Some(platform) {
        bail!(
            "{file} is not there, and only a machine for {platform} can make it: bring the one that \
             `cargo xtask build --profile pgo --backend {backend}` makes there, or leave {platform} out by --platform"
        );
    }
    // It takes the name of a symbol that the linker is to look for, which rustc gives it, for a file.
    if planner.linking.zig {
        bail!(
            "{file} is not there, and cargo-zigbuild cannot link the service that makes it: `--linker host` or \
             `--linker musl-gcc` can"
        );
    }
    if config.host.tools.profdata.is_none() {
        bail!(
            "llvm-profdata is not in the toolchain and is not on PATH, and --profile pgo needs it: \
             `{}`",
            config.host.tools.install_line("llvm-profdata")
        );
    }
    Ok(())
}

/// The steps that make the profiles which are not there, and then `compile`, which goes by profiles.
pub(super) fn trained(planner: &Planner<'_>, backend: &str, mut compile: Step) -> Vec<Step> {
    let mut steps = Vec::new();
    if planner.profile() == Profile::Pgo {
        let pgo = &planner.config.pgo;
        for &platform in &planner.platforms {
            let name = name(planner, backend, platform);
            let profile = pgo.latest(&name).unwrap_or_else(|| {
                let profile = pgo.new_file(&name);
                steps.extend(training(planner, backend, platform, &compile, &profile));
                profile
            });
            let flag = format!("-Cprofile-use={}", profile.display());
            compile.argv.extend(rustflags::for_target(&planner.linking.target(platform), &[flag]));
        }
        compile.needs.extend(steps.last().map(|merge| merge.name.clone()));
    }
    steps.push(compile);
    steps
}

/// The step that builds what puts services under load, where one of `builds` has it do so.
pub(super) fn trainer_step(config: &Config, builds: &[Build]) -> Option<Step> {
    let mut steps = builds.iter().flat_map(|build| &build.steps);
    let is_needed = steps.any(|step| step.needs.iter().any(|need| need == TRAINER));
    is_needed.then(|| Step {
        name: TRAINER.to_owned(),
        why: "build what puts the service under load, on its first use".to_owned(),
        argv: tool_argv(config, "xtask-soak", &[]),
        // Which cargo builds in the same folder.
        needs: words(&["engine"]),
        crates: true,
        folder: Some(debug(config)),
        outputs: vec![trainer(config).into()],
        ..Step::default()
    })
}

/// The steps that make `profile`. What they compile is as `compile` does it, or functions would have other names.
fn training(
    planner: &Planner<'_>,
    backend: &str,
    platform: Platform,
    compile: &Step,
    profile: &Path,
) -> [Step; 3] {
    let config = planner.config;
    let step_name = |base: &str| build::name(base, &[(planner.several, backend)]);
    let text = |path: &Path| config.relative(path).to_string_lossy().into_owned();

    let target = planner.linking.target(platform);
    // So that everybody else's stays warm.
    let (folder, program) = (config.relative(&config.pgo.folder), &config.pipeline.build.binaries()[0]);
    let program = folder.join(format!("{target}/{}/{program}", planner.profile().name()));
    let counting = planner.alone(platform).compile_step(backend, vec![]);
    let more = [
        &rustflags::for_target(&target, &words(&["-Cprofile-generate"]))[..],
        &words(&["--target-dir", &text(&folder)]),
    ];
    let instrument = Step {
        name: step_name("instrument"),
        why: format!("compile a service for {platform} and {backend} that counts what it does"),
        argv: [counting.argv, more.concat()].concat(),
        needs: compile.needs.clone(),
        outputs: vec![program.clone()],
        ..counting
    };

    let (counts, profile) = (text(&profile.with_extension("profraw")), text(profile));
    let train = words(&[&trainer(config), "train", "--backend", backend]);
    let train = Step {
        name: step_name("train"),
        why: "have it answer all kinds of requests for a few seconds".to_owned(),
        argv: [train, words(&["--program", &text(&program), "--counts", &counts])].concat(),
        needs: vec![TRAINER.to_owned(), instrument.name.clone()],
        outputs: vec![counts.clone().into()],
        ..Step::default()
    };

    let tool = config.host.tools.profdata.as_deref().map(text).unwrap_or_default();
    let merge = Step {
        name: step_name("merge"),
        why: "make the profile of its counts".to_owned(),
        argv: words(&["sh", "-c", MERGE, "merge", &tool, &counts, &profile]),
        needs: vec![train.name.clone()],
        outputs: vec![profile.into()],
        ..Step::default()
    };
    [instrument, train, merge]
}

/// The name of a profile, without what tells it from earlier ones.
fn name(planner: &Planner<'_>, backend: &str, platform: Platform) -> String {
    let package = &planner.config.pipeline.build.package;
    format!("{package}-{backend}-{}", planner.linking.target(platform))
}

/// The program that puts services under load.
fn trainer(config: &Config) -> String {
    beside_xtask(config, "xtask-soak")
}
