//! Sections `[builder]` that are right, and what is said of those that are not.

use expect_test::{Expect, expect};

use super::*;
use crate::config::Pipeline;
use crate::config::fixture::PIPELINE;

fn parse(section: &str) -> Result<Builder, String> {
    let pipeline = Pipeline::parse(&format!("{PIPELINE}[builder]\nname = 'galley'\n{section}"));
    pipeline.map(|pipeline| pipeline.builder.unwrap()).map_err(|error| format!("{error:#}"))
}

/// Checks what is said of each section, without the excerpt of the file, which is the same for all.
fn check(sections: &[&str], expected: &Expect) {
    let said = sections.iter().map(|section| {
        let error = parse(section).unwrap_err();
        assert!(error.starts_with("config/pipeline.toml is not right: "), "{error}");
        error.lines().skip_while(|line| !line.trim_start().starts_with("| ^")).skip(1).collect::<String>()
            + "\n"
    });
    expected.assert_eq(&said.collect::<String>());
}

#[test]
fn nodes_share_what_is_beside_them() {
    let builder = parse(
        "driver = 'kubernetes'\n\
         namespace = 'builders'\n\
         requests = { cpu = '2' }\n\
         [[builder.node]]\n\
         platforms = ['linux/amd64']\n\
         [[builder.node]]\n\
         platforms = ['linux/arm64']\n\
         requests.cpu = '500m'\n",
    );
    let Nodes::Kubernetes(nodes) = builder.unwrap().nodes else { panic!("another driver") };
    let told = nodes.iter().map(|node| (node.namespace.as_deref(), node.requests.cpu.as_deref()));
    assert_eq!(told.collect::<Vec<_>>(), [(Some("builders"), Some("2")), (Some("builders"), Some("500m"))]);
}

#[test]
fn an_option_of_another_driver_is_named() {
    check(
        &[
            "driver = 'docker-container'\nreplicas = 2",
            "driver = 'kubernetes'\nendpoint = 'tcp://build:1234'",
            "driver = 'remote'\nendpoint = 'tcp://build:1234'\nnetwork = 'host'",
            "driver = 'remote'",
            "driver = 'docker'",
            "",
        ],
        &expect![[r#"
            unknown field `replicas`, expected one of `platforms`, `endpoint`, `image`, `network` (the driver is `docker-container`)
            unknown field `endpoint`, expected one of `platforms`, `namespace`, `replicas`, `image`, `rootless`, `requests`, `limits`, `nodeselector` (the driver is `kubernetes`)
            unknown field `network`, expected one of `platforms`, `endpoint`, `cacert`, `cert`, `key`, `servername` (the driver is `remote`)
            missing field `endpoint` (the driver is `remote`)
            unknown driver `docker`, expected one of `docker-container`, `kubernetes`, `remote`
            missing field `driver`
        "#]],
    );
}

#[test]
fn what_makes_no_sense_is_named() {
    check(
        &[
            "driver = 'kubernetes'\nreplicas = 0",
            "driver = 'kubernetes'\nlimits.memory = '8 GB'",
            "driver = 'kubernetes'\nlimits.cpu = '-1'",
            "driver = 'kubernetes'\nnamespace = ''",
            "driver = 'kubernetes'\nnodeselector = { disk = 'ssd,hdd' }",
            "driver = 'docker-container'\nendpoint = ''",
            "driver = 'docker-container'\nnetwork = ''",
            "driver = 'remote'\nendpoint = 'build:1234'",
            "driver = 'remote'\nendpoint = 'unix:///run/b.sock'\ncacert = 'ca.pem'",
            "driver = 'remote'\nendpoint = 'tcp://build:1234'\nservername = 'build'",
            "driver = 'remote'\nendpoint = 'tcp://build:1234'\ncacert = 'ca.pem'\ncert = 'cert.pem'",
            "driver = 'remote'\nendpoint = 'tcp://build:1234'\ncacert = 'ca.pem'\nkey = 'key.pem'",
        ],
        &expect![[r#"
            `replicas` must be 1 or more
            `limits.memory` is `8 GB`; write a quantity such as "2", "500m" or "4Gi"
            `limits.cpu` is `-1`; write a quantity such as "2", "500m" or "4Gi"
            `namespace` must not be empty
            `nodeselector` has `disk=ssd,hdd`, which is no label of a node
            `endpoint` must be a Docker context or host, such as `ssh://me@host`
            `network` must name a network of Docker, such as `host`
            `endpoint` is `build:1234`; write `tcp://host:port`, or `unix:///path` for a socket
            `cacert` is for TLS, which a socket has none of
            `servername` needs `cacert` as well
            `cert` needs its `key` as well
            `key` needs its `cert` as well
        "#]],
    );
}

#[test]
fn several_nodes_have_to_be_told_apart() {
    check(
        &[
            "driver = 'kubernetes'\nnode = []",
            "driver = 'kubernetes'\nnode = 1",
            "driver = 'kubernetes'\n[[builder.node]]\n[[builder.node]]\nplatforms = ['linux/arm64']",
            "driver = 'kubernetes'\nplatforms = ['linux/arm64']\n[[builder.node]]\n[[builder.node]]\n",
            "driver = 'docker-container'\n[[builder.node]]\nplatforms = ['linux/amd64']\n[[builder.node]]\nplatforms = ['linux/arm64']",
            "driver = 'remote'\nendpoint = 'tcp://b:1'\n[[builder.node]]\nplatforms = ['linux/amd64']\n[[builder.node]]\nplatforms = ['linux/arm64']",
        ],
        &expect![[r#"
            `node` must name at least one
            `node` must be written as [[builder.node]]
            each of several nodes needs `platforms`
            `platforms` has linux/arm64 twice
            `endpoint` is missing for two nodes; each needs its own
            `endpoint` is `tcp://b:1` for two nodes; each needs its own
        "#]],
    );
}

#[test]
fn a_name_is_legal_everywhere() {
    for (name, is_right) in
        [("galley", true), ("b-2", true), ("default", false), ("Galley", false), ("2b", false), ("", false)]
    {
        let text = format!("{PIPELINE}[builder]\nname = '{name}'\ndriver = 'docker-container'");
        assert_eq!(Pipeline::parse(&text).is_ok(), is_right, "{name}");
    }
}
