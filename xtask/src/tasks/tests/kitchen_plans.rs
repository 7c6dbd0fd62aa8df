//! Plans of `kitchen`.

use expect_test::expect;

use super::check_plan;
use crate::cli::{KitchenFlags, KitchenTask};
use crate::config::fixture::config;
use crate::tasks::kitchen::plan;

#[test]
fn the_dashboard_is_built_and_has_the_terminal() {
    let flags = KitchenFlags { port: 4848, at_once: 2, open: true, ..KitchenFlags::default() };
    check_plan(
        Ok(plan(&config(), &flags)),
        &expect![[r#"
            cd /galley

            # tool: build the dashboard, on its first use
            cargo build --locked --message-format=json-render-diagnostics --package xtask-kitchen

            # kitchen: open the dashboard, or ask the one that is open
            target/debug/xtask-kitchen --port=4848 --at-once=2 --open
        "#]],
    );
}

#[test]
fn it_is_told_who_else_may_come() {
    let flags = KitchenFlags {
        port: 4848,
        at_once: 1,
        host: "192.168.1.5:4849".parse().ok(),
        names: vec!["kitchen.test".to_owned(), "kitchen".to_owned()],
        tls_cert: Some("/etc/chain.pem".into()),
        tls_key: Some("/etc/key.pem".into()),
        ..KitchenFlags::default()
    };
    let plan = plan(&config(), &flags);
    expect![[r#"
        Some(
            [
                "target/debug/xtask-kitchen",
                "--port=4848",
                "--at-once=1",
                "--host=192.168.1.5:4849",
                "--name=kitchen.test,kitchen",
                "--tls-cert=/etc/chain.pem",
                "--tls-key=/etc/key.pem",
            ],
        )
    "#]]
    .assert_debug_eq(&plan.then.map(|step| step.argv));
}

#[test]
fn the_one_that_is_open_can_be_asked() {
    let flags =
        KitchenFlags { task: Some(KitchenTask::Logs { build: 7, follow: true }), ..KitchenFlags::default() };
    check_plan(
        Ok(plan(&config(), &flags)),
        &expect![[r#"
        cd /galley

        # tool: build the dashboard, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-kitchen

        # kitchen: open the dashboard, or ask the one that is open
        target/debug/xtask-kitchen logs 7 --follow
    "#]],
    );
}

#[test]
fn the_history_is_exported_in_all_or_one_build_of_it() {
    let argv = |build| {
        let flags = KitchenFlags { task: Some(KitchenTask::Export { build }), ..KitchenFlags::default() };
        plan(&config(), &flags).then.map(|step| step.argv[1..].join(" "))
    };
    assert_eq!([argv(None), argv(Some(7))].map(Option::unwrap), ["export", "export 7"]);
}
