//! Plans of `clean --builder`.

use std::time::Duration;

use expect_test::expect;

use super::{check_error, check_plan};
use crate::cli::Limits;
use crate::config::fixture::{PIPELINE, config};
use crate::config::{Config, Pipeline};
use crate::size::Size;
use crate::tasks::clean::builder::plan;
use crate::tools::Buildx;
use crate::tools::buildx::{Builder, Node, Version};

/// A machine with a builder whose only daemon is in that state.
fn with(minor: u32, status: &str) -> Config {
    let mut config = config();
    let section = "[builder]\nname = 'galley'\ndriver = 'docker-container'";
    config.pipeline = Pipeline::parse(&format!("{PIPELINE}{section}")).unwrap();
    let nodes = vec![Node { status: status.to_owned(), ..Node::default() }];
    let builder = Some(Builder { name: "galley".to_owned(), nodes, ..Builder::default() });
    let version = Some(Version { major: 0, minor, patch: 0 });
    config.host.tools.buildx = Some(Buildx { version, builder });
    config
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LIMITS: Limits = Limits { older_than: Some(WEEK), keep: Some(Size(5_000_000_000)) };

#[test]
fn each_limit_is_a_step() {
    check_plan(
        plan(&with(13, "running"), &LIMITS).map(|(plan, _)| plan),
        &expect![[r#"
        cd /galley

        # builder-age: take away what builds did not use for 7days
        docker buildx prune --builder galley --force --filter until=604800s

        # builder-size: take away what builds did not use for longest, until 5000000000 B stay
        docker buildx prune --builder galley --force --keep-storage 5000000000
    "#]],
    );
    let keep = Limits { older_than: None, ..LIMITS };
    check_plan(
        plan(&with(17, "running"), &keep).map(|(plan, _)| plan),
        &expect![[r#"
        cd /galley

        # builder-size: take away what builds did not use for longest, until 5000000000 B stay
        docker buildx prune --builder galley --force --reserved-space 5000000000
    "#]],
    );
}

#[test]
fn a_builder_that_does_not_run_keeps_its_cache() {
    let mut config = with(13, "stopped");
    let (stopped, why) = plan(&config, &LIMITS).unwrap();
    assert_eq!(stopped.steps.len(), 0);
    expect![
        "the builder `galley` does not run, and so its cache stays: `cargo xtask builder bootstrap` starts it"
    ]
    .assert_eq(&why.unwrap());
    config.host.tools.buildx.as_mut().unwrap().builder = None;
    let (absent, why) = plan(&config, &LIMITS).unwrap();
    assert_eq!(absent.steps.len(), 0);
    expect!["there is no builder `galley`, and so no cache of it"].assert_eq(&why.unwrap());
}

#[test]
fn what_is_missing_for_the_builder_is_named() {
    check_error(
        plan(&config(), &LIMITS),
        &expect![
            "config/pipeline.toml has no section [builder]; `name` and `driver` in it say which builder is meant"
        ],
    );
    let mut config = with(13, "running");
    config.host.tools.buildx = None;
    check_error(
        plan(&config, &LIMITS),
        &expect!["docker has no buildx, or is not on PATH: https://github.com/docker/buildx#installing"],
    );
}
