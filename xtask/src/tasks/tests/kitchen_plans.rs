//! Plans of `kitchen`.

use expect_test::expect;

use super::check_plan;
use crate::cli::{KitchenFlags, KitchenTask};
use crate::config::fixture::config;
use crate::tasks::kitchen::plan;

#[test]
fn the_dashboard_is_built_and_has_the_terminal() {
    let flags = KitchenFlags { port: 4848, at_once: 2, open: true, task: None };
    check_plan(
        Ok(plan(&config(), &flags)),
        &expect![[r#"
        cd /galley

        # tool: build the dashboard, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-kitchen

        # kitchen: open the dashboard, or ask the one that is open
        target/debug/xtask-kitchen --port 4848 --at-once 2 --open
    "#]],
    );
}

#[test]
fn the_one_that_is_open_can_be_asked() {
    let flags = KitchenFlags { task: Some(KitchenTask::Logs { build: 7 }), ..KitchenFlags::default() };
    check_plan(
        Ok(plan(&config(), &flags)),
        &expect![[r#"
        cd /galley

        # tool: build the dashboard, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-kitchen

        # kitchen: open the dashboard, or ask the one that is open
        target/debug/xtask-kitchen logs 7
    "#]],
    );
}
