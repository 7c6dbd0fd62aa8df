//! Plans of `watch`.

use std::num::NonZeroUsize;

use expect_test::expect;

use super::{bare_config, check_error, check_plan};
use crate::cli::{MessageFormat, Run, RunFlags, WatchFlags};
use crate::config::Config;
use crate::config::fixture::config;
use crate::plan::Plan;
use crate::tasks::watch;

const RUN: RunFlags = RunFlags {
    dry_run: false,
    jobs: None,
    quiet: false,
    message_format: MessageFormat::Human,
    timings: None,
};

fn plan(config: &Config, run: Option<Run>) -> anyhow::Result<Plan> {
    let flags = WatchFlags { backend: None, run };
    Ok(watch::plan(config, &flags, &RUN)?.plan())
}

#[test]
fn stages_end_with_a_container_where_a_runtime_answers() {
    check_plan(
        plan(&config(), None),
        &expect![[r#"
        cd /galley

        # lint: the service is formatted and has no lints
        target/debug/xtask check --only format,clippy-sqlite --backend sqlite

        # test: all its tests pass
        target/debug/xtask check --only test-sqlite --backend sqlite

        # bd: build the service and its image
        target/debug/xtask bd --backend sqlite

        # stop: end the version before, if it runs
        docker stop app-watch

        # run: run the new version
        docker run --name app-watch --rm --read-only --volume app-data:/data --publish 8080:8080 team/app:1.2.3
    "#]],
    );
}

#[test]
fn another_backend_and_flags_of_the_run_are_handed_on() {
    let flags = WatchFlags { backend: Some("postgres".to_owned()), run: Some(Run::Process) };
    let run =
        RunFlags { jobs: NonZeroUsize::new(3), quiet: true, message_format: MessageFormat::Json, ..RUN };
    check_plan(
        watch::plan(&config(), &flags, &run).map(|watch| watch.plan()),
        &expect![[r#"
        cd /galley

        # lint: the service is formatted and has no lints
        target/debug/xtask check --only format,clippy-postgres --backend postgres --jobs=3 --quiet --message-format=json

        # test: all its tests pass
        target/debug/xtask check --only test-postgres --backend postgres --jobs=3 --quiet --message-format=json

        # bd: build the service and its image
        target/debug/xtask bd --backend postgres --jobs=3 --quiet --message-format=json

        # run: run the new version
        target/dist/app-postgres-linux-amd64
    "#]],
    );
}

#[test]
fn without_a_runtime_the_service_is_a_process_if_it_can_be() {
    let mut config = bare_config();
    let names = |plan: Plan| plan.steps.into_iter().map(|step| step.argv.join(" ")).collect::<Vec<_>>();
    let steps = names(plan(&config, None).unwrap());
    assert_eq!(steps.last().unwrap(), "target/dist/app-sqlite-linux-amd64");
    assert_eq!(names(plan(&config, Some(Run::None)).unwrap()), steps[..3]);
    config.host.platform = None;
    assert_eq!(names(plan(&config, None).unwrap()), steps[..3]);
}

#[test]
fn what_cannot_run_here_is_refused() {
    let mut config = bare_config();
    config.host.platform = None;
    check_error(
        plan(&config, Some(Run::Container)),
        &expect!["neither docker nor podman answers; start one, or watch with `--run process`"],
    );
    check_error(
        plan(&config, Some(Run::Process)),
        &expect![
            "this machine does not run what is built, which is for linux/amd64; watch with `--run container`"
        ],
    );
}
