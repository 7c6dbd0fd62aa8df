//! Every plan on a fixed configuration, as the shell that `--dry-run` prints.

mod adopted_plans;
mod bake_plans;
mod bd_plans;
mod bd_variety_plans;
mod bdp_plans;
mod bench_plans;
mod build_plans;
mod builder_plans;
mod buildkit_plans;
mod check_plans;
mod clean_plans;
mod compose_file;
mod image_plans;
mod kitchen_plans; // template: if kitchen
mod pgo_plans;
mod published_plans;
mod release_plans;
mod sccache_plans;
mod setup_plans;
mod soak_plans;
mod sqlx_plans;
mod template_plans;
mod up_plans;
mod watch_plans;
mod windows_plans;

use expect_test::{Expect, expect};
use image_spec::Platform;

use super::{bd, build};
use crate::cli::{BdFlags, BuildFlags, Output, Store};
use crate::config::Config;
use crate::config::fixture::config;
use crate::plan::{Plan, Product, Step};

fn check_plan(plan: anyhow::Result<Plan>, expected: &Expect) {
    let plan = plan.unwrap();
    check_order(&plan);
    expected.assert_eq(&plan.to_string());
}

/// What a step needs comes before it; else it would wait for ever.
fn check_order(plan: &Plan) {
    for (index, step) in plan.steps.iter().enumerate() {
        for need in &step.needs {
            let is_before = plan.steps[..index].iter().any(|before| before.name == *need);
            assert!(is_before, "`{}` needs `{need}`, which does not come before it", step.name);
        }
    }
}

fn check_error<T: std::fmt::Debug>(result: anyhow::Result<T>, expected: &Expect) {
    expected.assert_eq(&format!("{:#}", result.unwrap_err()));
}

/// The commands of a plan, and what each waits for.
fn check_steps(plan: &Plan, expected: &Expect) {
    let step =
        |step: &Step| format!("{} after {}: {}\n", step.name, step.needs.join(", "), step.argv.join(" "));
    expected.assert_eq(&plan.steps.iter().map(step).collect::<String>());
}

/// The fixed configuration with other backends; there is no server for mysql.
fn config_for(backends: &[&str]) -> Config {
    let mut config = config();
    config.pipeline.build.backends = backends.iter().map(|backend| (*backend).to_owned()).collect();
    config
}

/// A machine with nothing but a compiler.
fn bare_config() -> Config {
    let mut config = config();
    config.host.tools.found = vec!["cargo", "rustc", "cc"];
    config.host.tools.targets.clear();
    config.host.tools.zig = false;
    config.host.tools.runtime = None;
    config
}

#[test]
fn what_a_machine_lacks_is_named_with_the_line_that_installs_it() {
    let flags = BuildFlags { platforms: vec![Platform::LinuxArm64], ..BuildFlags::default() };
    check_error(
        build::plan(&bare_config(), &flags),
        &expect![[r#"
        no way to link a static binary for linux/arm64 works here
          zigbuild: `cargo install --locked cargo-zigbuild@0.24.1`
          musl-gcc: only for the platform of this machine
          host: only for the platform of this machine"#]],
    );

    let mut config = bare_config();
    config.host.tools.static_libc = false;
    check_error(
        build::plan(&config, &BuildFlags::default()),
        &expect![[r#"
        no way to link a static binary for linux/amd64 works here
          zigbuild: `cargo install --locked cargo-zigbuild@0.24.1`
          musl-gcc: `sudo apt-get install musl-tools`
          host: `sudo apt-get install libc6-dev` (on Fedora glibc-static)"#]],
    );

    config.host.tools.found = vec!["cargo", "rustc"];
    check_error(
        build::plan(&config, &BuildFlags::default()),
        &expect![
            "no C compiler: `cc` is not on PATH, and linking needs it; `cargo xtask doctor` shows how to install one"
        ],
    );
}

#[test]
fn a_runtime_that_does_not_answer_is_named() {
    let flags = BdFlags { output: Some(Output::Load(Store::Podman)), ..BdFlags::default() };
    check_error(
        bd::plan(&config(), &flags),
        &expect!["podman does not answer; start it, or write an archive with `--output oci`"],
    );
}

#[test]
fn an_unknown_backend_or_platform_is_refused() {
    let flags = BuildFlags { backends: vec!["postgre".to_owned()], ..BuildFlags::default() };
    check_error(
        build::plan(&config(), &flags),
        &expect!["unknown backend `postgre`, did you mean `postgres`?"],
    );

    let mut config = config();
    config.pipeline.build.platforms = vec![Platform::LinuxAmd64];
    let flags = BuildFlags { platforms: vec![Platform::LinuxArm64], ..BuildFlags::default() };
    check_error(
        build::plan(&config, &flags),
        &expect!["config/pipeline.toml builds for linux/amd64, not for linux/arm64"],
    );
}
