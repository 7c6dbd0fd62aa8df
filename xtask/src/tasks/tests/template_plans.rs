//! Plans of `template`.

use expect_test::expect;

use super::check_plan;
use crate::cli::AdoptFlags; // template: if is_template
use crate::cli::{TemplateTask, UpdateFlags};
use crate::config::fixture::config;
use crate::tasks::template;

#[test]
fn an_update_can_ask_questions() {
    let flags = UpdateFlags { to: Some("0.3.0".to_owned()), silent: true, ..UpdateFlags::default() };
    let plan = template::plan(&config(), &TemplateTask::Update(flags));
    // What comes after the steps has the terminal to itself.
    assert_eq!(plan.then.as_ref().map(|step| step.name.as_str()), Some("update"));
    check_plan(
        Ok(plan),
        &expect![[r#"
            cd /galley

            # tool: build what knows the template, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-template

            # update: merge a version of the template
            target/debug/xtask-template update --to 0.3.0 --silent
        "#]],
    );
}

#[test]
fn what_asks_nothing_is_a_step() {
    let flags = UpdateFlags { check: true, ..UpdateFlags::default() };
    check_plan(
        Ok(template::plan(&config(), &TemplateTask::Update(flags))),
        &expect![[r#"
            cd /galley

            # tool: build what knows the template, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-template

            # update: see whether the template has a later version
            target/debug/xtask-template update --check
        "#]],
    );
    let flags = UpdateFlags { pull_request: true, ..UpdateFlags::default() };
    check_plan(
        Ok(template::plan(&config(), &TemplateTask::Update(flags))),
        &expect![[r#"
        cd /galley

        # tool: build what knows the template, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-template

        # update: open a pull request with a version of the template
        target/debug/xtask-template update --pull-request
    "#]],
    );
    check_plan(
        Ok(template::plan(&config(), &TemplateTask::Diff)),
        &expect![[r#"
            cd /galley

            # tool: build what knows the template, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-template

            # diff: compare the project with its template
            target/debug/xtask-template diff
        "#]],
    );
}
// template: if is_template

#[test]
fn what_is_adopted_is_handed_on() {
    let flags = AdoptFlags {
        project: "/home/me/shop".into(),
        package: Some("shop-server".to_owned()),
        port: vec![3000, 3001],
        define: vec!["ci=none".to_owned()],
        yes: true,
        ..AdoptFlags::default()
    };
    check_plan(
        Ok(template::adopt(&config(), &flags, true)),
        &expect![[r#"
        cd /galley

        # tool: build what knows the template, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-template

        # adopt: add the pipeline to another project
        target/debug/xtask-template adopt /home/me/shop --package=shop-server --port=3000 --port=3001 --define=ci=none --yes --dry-run
    "#]],
    );
}
// template: end

#[test]
fn its_program_is_where_cargo_has_built_this_one() {
    let mut config = config();
    // As `build.target` in cargo's configuration has it.
    config.host.bin_dir = config.root.join("target/x86_64-unknown-linux-gnu/debug");
    let plan = template::plan(&config, &TemplateTask::Diff);
    assert_eq!(plan.steps[1].argv[0], "target/x86_64-unknown-linux-gnu/debug/xtask-template");
    assert_eq!(plan.steps[0].outputs, [std::path::Path::new(&plan.steps[1].argv[0])]);
}
