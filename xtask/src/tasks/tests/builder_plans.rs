//! Plans of `builder`, for each driver.

use expect_test::{Expect, expect};

use super::{check_error, check_plan, check_steps};
use crate::cli::BuilderTask;
use crate::config::fixture::{PIPELINE, config};
use crate::config::{Config, Pipeline};
use crate::plan::Plan;
use crate::tasks::builder;
use crate::tools::Buildx;
use crate::tools::buildx::{Builder, Node, Version};

const CONTAINER: &str = "driver = 'docker-container'\nnetwork = 'host'";

const KUBERNETES: &str = "
driver = 'kubernetes'
namespace = 'builders'
rootless = true
requests = { cpu = '2', memory = '4Gi' }
limits = { memory = '8Gi' }

[[builder.node]]
platforms = ['linux/amd64']
nodeselector = { 'kubernetes.io/arch' = 'amd64', disk = 'ssd' }
replicas = 2

[[builder.node]]
platforms = ['linux/arm64']
nodeselector = { 'kubernetes.io/arch' = 'arm64' }
";

const REMOTE: &str = "
driver = 'remote'
cacert = 'certs/ca.pem'
cert = '/etc/build, certs/cert.pem'
key = '/etc/build, certs/key.pem'

[[builder.node]]
platforms = ['linux/amd64']
endpoint = 'tcp://amd64.example.com:1234'

[[builder.node]]
platforms = ['linux/arm64']
endpoint = 'tcp://10.0.0.7:1234'
servername = 'arm64.example.com'
";

/// A machine with buildx and no builder.
fn with(section: &str) -> Config {
    let mut config = config();
    config.pipeline = Pipeline::parse(&format!("{PIPELINE}[builder]\nname = 'galley'\n{section}")).unwrap();
    config.buildkitd = "[worker.oci]\nmax-parallelism = 4\n".parse().unwrap();
    let version = Some(Version { major: 0, minor: 13, patch: 1 });
    config.host.tools.buildx = Some(Buildx { version, builder: None });
    config
}

fn found(config: &mut Config, builder: Builder) {
    config.host.tools.buildx.as_mut().unwrap().builder = Some(builder);
}

/// What buildx would have after `plan`.
fn made_by(plan: &Plan, status: &str) -> Builder {
    let mut builder = Builder { name: "galley".to_owned(), ..Builder::default() };
    let creates = plan.steps.iter().filter(|step| step.name.starts_with("create-"));
    for argv in creates.map(|step| &step.argv) {
        let values = |flag: &'static str| {
            argv.windows(2).filter(move |pair| pair[0] == flag).map(|pair| pair[1].trim_matches('"'))
        };
        let options = values("--driver-opt").map(|option| option.split_once('=').unwrap());
        builder.driver = values("--driver").next().unwrap().to_owned();
        builder.nodes.push(Node {
            name: values("--node").next().unwrap().to_owned(),
            options: options.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            status: status.to_owned(),
            ..Node::default()
        });
    }
    builder
}

fn plan(config: &Config, task: BuilderTask) -> Plan {
    builder::plan(config, task).unwrap()
}

fn check_create(section: &str, expected: &Expect) {
    check_plan(builder::plan(&with(section), BuilderTask::Create), expected);
}

#[test]
fn a_container_is_made_with_its_settings() {
    check_create(
        CONTAINER,
        &expect![[r#"
            cd /galley

            # settings: write what the daemons are told: config/buildkitd.toml, mirrors, registries
            mkdir -p target/builder
            cat >target/builder/buildkitd.toml.$$ <<'END'
            [worker.oci]
            max-parallelism = 4
            END
            mv target/builder/buildkitd.toml.$$ target/builder/buildkitd.toml

            # create-0: tell buildx of the node galley0
            docker buildx create --name galley --driver docker-container --node galley0 --buildkitd-config target/builder/buildkitd.toml --driver-opt network=host --driver-opt env.BUILDER_SETTINGS=2becaff1df57185d

            # inspect: show it
            docker buildx inspect galley
        "#]],
    );
}

#[test]
fn a_cluster_has_a_node_for_each_architecture() {
    check_create(
        KUBERNETES,
        &expect![[r#"
            cd /galley

            # settings: write what the daemons are told: config/buildkitd.toml, mirrors, registries
            mkdir -p target/builder
            cat >target/builder/buildkitd.toml.$$ <<'END'
            [worker.oci]
            max-parallelism = 4
            END
            mv target/builder/buildkitd.toml.$$ target/builder/buildkitd.toml

            # create-0: tell buildx of the node galley0
            docker buildx create --name galley --driver kubernetes --node galley0 --platform linux/amd64 --buildkitd-config target/builder/buildkitd.toml --driver-opt namespace=builders --driver-opt replicas=2 --driver-opt rootless=true --driver-opt requests.cpu=2 --driver-opt requests.memory=4Gi --driver-opt limits.memory=8Gi --driver-opt '"nodeselector=disk=ssd,kubernetes.io/arch=amd64"' --driver-opt labels=builder-settings=fae5aa12c24fbfc8

            # create-1: tell buildx of the node galley1
            docker buildx create --name galley --append --driver kubernetes --node galley1 --platform linux/arm64 --buildkitd-config target/builder/buildkitd.toml --driver-opt namespace=builders --driver-opt rootless=true --driver-opt requests.cpu=2 --driver-opt requests.memory=4Gi --driver-opt limits.memory=8Gi --driver-opt nodeselector=kubernetes.io/arch=arm64 --driver-opt labels=builder-settings=fae5aa12c24fbfc8

            # inspect: show it
            docker buildx inspect galley
        "#]],
    );
}

#[test]
fn daemons_of_others_get_certificates_and_no_settings() {
    check_create(
        REMOTE,
        &expect![[r#"
            cd /galley

            # create-0: tell buildx of the node galley0-dd577214bad435aa
            docker buildx create --name galley --driver remote --node galley0-dd577214bad435aa --platform linux/amd64 --driver-opt cacert=/galley/certs/ca.pem --driver-opt '"cert=/etc/build, certs/cert.pem"' --driver-opt '"key=/etc/build, certs/key.pem"' tcp://amd64.example.com:1234

            # create-1: tell buildx of the node galley1-dd577214bad435aa
            docker buildx create --name galley --append --driver remote --node galley1-dd577214bad435aa --platform linux/arm64 --driver-opt cacert=/galley/certs/ca.pem --driver-opt '"cert=/etc/build, certs/cert.pem"' --driver-opt '"key=/etc/build, certs/key.pem"' --driver-opt servername=arm64.example.com tcp://10.0.0.7:1234

            # inspect: show it
            docker buildx inspect galley
        "#]],
    );
}

#[test]
fn a_second_create_changes_nothing() {
    for section in [CONTAINER, KUBERNETES, REMOTE] {
        let mut config = with(section);
        let first = plan(&config, BuilderTask::Create);
        found(&mut config, made_by(&first, "inactive"));
        for (task, argv) in [
            (BuilderTask::Create, "docker buildx inspect galley"),
            (BuilderTask::Bootstrap, "docker buildx inspect --bootstrap galley"),
        ] {
            let second = plan(&config, task);
            assert_eq!(second.steps.len(), 1, "{section}");
            assert_eq!(second.steps[0].argv.join(" "), argv);
        }
    }
}

#[test]
fn whatever_changes_makes_it_anew() {
    for section in [CONTAINER, KUBERNETES, REMOTE] {
        let first = made_by(&plan(&with(section), BuilderTask::Create), "running");
        let is_made_anew = |section: &str, settings: &str, builder: Builder| {
            let mut config = with(section);
            config.buildkitd = settings.parse().unwrap();
            found(&mut config, builder);
            plan(&config, BuilderTask::Create).steps[0].argv.join(" ")
                == "docker buildx rm --keep-state galley"
        };
        let same = "worker.oci.max-parallelism = 4";
        assert!(!is_made_anew(section, same, first.clone()), "{section}");
        let other = section.replace("host", "none").replace("8Gi", "9Gi").replace(":1234", ":1235");
        assert!(is_made_anew(&other, same, first.clone()), "{section}");
        // Those of others have settings of their own.
        let is_remote = section == REMOTE;
        assert_eq!(is_made_anew(section, "debug = true", first.clone()), !is_remote, "{section}");
        let fewer = Builder { nodes: first.nodes[1..].to_vec(), ..first.clone() };
        assert!(is_made_anew(section, same, fewer), "{section}");
        let mut by_hand = first.clone();
        by_hand.nodes[0].options.clear();
        by_hand.nodes[0].name = "galley0".to_owned();
        assert!(is_made_anew(section, same, by_hand), "{section}");
    }
}

#[test]
fn a_cache_stays_unless_the_driver_changes() {
    let mut config = with(KUBERNETES);
    let old = plan(&with(CONTAINER), BuilderTask::Create);
    found(&mut config, made_by(&old, "running"));
    let steps = plan(&config, BuilderTask::Bootstrap).steps;
    assert_eq!(steps[0].argv.join(" "), "docker buildx rm galley");

    let mut config = with("driver = 'docker-container'");
    found(&mut config, made_by(&old, "running"));
    check_steps(
        &plan(&config, BuilderTask::Bootstrap),
        &expect![[r#"
            remove after : docker buildx rm --keep-state galley
            settings after remove: cat
            create-0 after settings: docker buildx create --name galley --driver docker-container --node galley0 --buildkitd-config target/builder/buildkitd.toml --driver-opt env.BUILDER_SETTINGS=3185a50e95e5e6d2
            inspect after create-0: docker buildx inspect --bootstrap galley
        "#]],
    );
}

#[test]
fn status_asks_for_the_cache_of_daemons_that_run() {
    let mut config = with(CONTAINER);
    check_error(
        builder::plan(&config, BuilderTask::Status),
        &expect!["there is no builder `galley`; `cargo xtask builder create` makes it"],
    );
    let made = plan(&config, BuilderTask::Create);
    found(&mut config, made_by(&made, "inactive"));
    check_steps(
        &plan(&config, BuilderTask::Status),
        &expect![[r#"
        inspect after : docker buildx inspect galley
    "#]],
    );
    found(&mut config, made_by(&made, "running"));
    check_plan(
        builder::plan(&config, BuilderTask::Status),
        &expect![[r#"
        cd /galley

        # inspect: show its nodes and their platforms
        docker buildx inspect galley

        # cache: sum up what its cache holds
        sh -c 'use=$(docker buildx du --builder "$1") && printf '\''%s\n'\'' "$use" | tail -n 4' cache galley
    "#]],
    );
}

#[test]
fn nothing_is_left_of_a_builder_that_is_removed() {
    let mut config = with(CONTAINER);
    check_steps(
        &plan(&config, BuilderTask::Remove),
        &expect![[r#"
        cache after : docker volume rm --force buildx_buildkit_galley0_state
    "#]],
    );
    let made = plan(&config, BuilderTask::Create);
    found(&mut config, made_by(&made, "running"));
    check_plan(
        builder::plan(&config, BuilderTask::Remove),
        &expect![[r#"
        cd /galley

        # remove: take the builder and its cache away
        docker buildx rm galley

        # cache: take away a cache that no daemon has, if there is one
        docker volume rm --force buildx_buildkit_galley0_state
    "#]],
    );
    for section in [KUBERNETES, REMOTE, "driver = 'docker-container'\nendpoint = 'ssh://me@big'"] {
        assert_eq!(plan(&with(section), BuilderTask::Remove).steps, []);
    }
}

#[test]
fn what_is_missing_is_said_before_anything_runs() {
    let mut missing = with(CONTAINER);
    missing.host.tools.buildx = None;
    let mut old = with(CONTAINER);
    let version = Some(Version { major: 0, minor: 12, patch: 1 });
    old.host.tools.buildx = Some(Buildx { version, builder: None });
    let mut context = with(CONTAINER);
    found(&mut context, Builder { driver: "docker".to_owned(), ..Builder::default() });
    let tasks = [BuilderTask::Create, BuilderTask::Bootstrap, BuilderTask::Status, BuilderTask::Remove];
    let said = [config(), missing, old, context].map(|config| {
        let mut said = tasks.map(|task| builder::plan(&config, task).unwrap_err().to_string()).to_vec();
        said.dedup();
        said.join("\n")
    });
    expect![[r#"
        config/pipeline.toml has no section [builder]; `name` and `driver` in it say which builder is meant
        docker has no buildx, or is not on PATH: https://github.com/docker/buildx#installing
        docker buildx is 0.12.1, too old: 0.13.0 is needed: https://github.com/docker/buildx#installing
        `galley` is a context of Docker; give `name` in [builder] another value"#]]
    .assert_eq(&said.join("\n"));
}
