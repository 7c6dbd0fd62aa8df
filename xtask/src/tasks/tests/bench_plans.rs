//! Plans of `bench`.

use clap::{Args, FromArgMatches};
use expect_test::expect;

use super::check_plan;
use crate::cli::BenchFlags;
use crate::config::fixture::config;
use crate::tasks::bench;

fn flags(args: &[&str]) -> BenchFlags {
    let command = BenchFlags::augment_args(clap::Command::new("bench").no_binary_name(true));
    BenchFlags::from_arg_matches(&command.get_matches_from(args)).unwrap()
}

#[test]
fn the_tool_is_told_where_the_report_goes() {
    check_plan(
        Ok(bench::plan(&config(), &flags(&[]))),
        &expect![[r#"
        cd /galley

        # tool: build what measures, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-bench

        # bench: measure in turn, in clones of the last commit
        target/debug/xtask-bench --profile written --report target/bench/report.json
    "#]],
    );
}

#[test]
fn every_flag_is_handed_on() {
    let args = "edit push --peer chef,mounts --profile written --profile same --rounds 7 --quick --against origin/main \
                --image debian:bookworm-slim=m.example/debian:12 --prune --png docs/plots --report /tmp/report.json";
    let args = args.split_whitespace().collect::<Vec<_>>();
    check_plan(
        Ok(bench::plan(&config(), &flags(&args))),
        &expect![[r#"
        cd /galley

        # tool: build what measures, on its first use
        cargo build --locked --message-format=json-render-diagnostics --package xtask-bench

        # bench: measure in turn, in clones of the last commit
        target/debug/xtask-bench edit push --peer chef,mounts --profile written --profile same --rounds 7 --quick --against origin/main --image debian:bookworm-slim=m.example/debian:12 --prune --png docs/plots --report /tmp/report.json
    "#]],
    );
}
