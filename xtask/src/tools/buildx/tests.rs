//! What `docker buildx inspect` prints for each driver, as it is read.

use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expected: &Expect) {
    let builder = Builder::parse(text).unwrap();
    let mut said = format!("{} by {}\n", builder.name, builder.driver);
    for node in builder.nodes {
        let buildkit = node.buildkit.map_or_else(|| "?".to_owned(), |version| version.to_string());
        said += &format!(
            "{} at {} is {}, BuildKit {buildkit}, for {}\n",
            node.name,
            node.endpoint,
            node.status,
            node.platforms.join(" ")
        );
        node.options.iter().for_each(|(key, value)| said += &format!("  {key}: {value}\n"));
    }
    expected.assert_eq(&said);
}

#[test]
fn the_engine_of_docker_is_a_builder() {
    check(
        "Name:          default\n\
         Driver:        docker\n\
         Last Activity: 2026-11-21 18:18:58 +0000 UTC\n\
         \n\
         Nodes:\n\
         Name:             default\n\
         Endpoint:         default\n\
         Status:           running\n\
         BuildKit version: v0.0.0+unknown\n\
         Platforms:        linux/amd64, linux/amd64/v2, linux/amd64/v3\n\
         Labels:\n \
         org.mobyproject.buildkit.worker.executor:             containerd\n \
         org.mobyproject.buildkit.worker.network:              host\n",
        &expect![[r#"
            default by docker
            default at default is running, BuildKit ?, for linux/amd64 linux/amd64/v2 linux/amd64/v3
        "#]],
    );
}

#[test]
fn a_container_that_runs_tells_what_it_is() {
    check(
        "Name:          galley\n\
         Driver:        docker-container\n\
         Last Activity: 2026-11-21 18:24:19 +0000 UTC\n\
         \n\
         Nodes:\n\
         Name:                  galley0\n\
         Endpoint:              unix:///var/run/docker.sock\n\
         Driver Options:        env.X=\"a \\\"q\\\" \\\\ b=\" network=\"host\"\n\
         Status:                running\n\
         BuildKit daemon flags: --allow-insecure-entitlement=network.host\n\
         BuildKit version:      v0.18.2\n\
         Platforms:             linux/amd64*, linux/386\n\
         Labels:\n \
         org.mobyproject.buildkit.worker.snapshotter: overlayfs\n\
         GC Policy rule#0:\n \
         All:           false\n \
         Filters:       type==source.local,type==exec.cachemount\n \
         Keep Duration: 48h0m0s\n\
         Devices:\n \
         Name: vendor.example/device=gpu\n\
         File#buildkitd.toml:\n \
         > [worker]\n \
         > Status: none\n",
        &expect![[r#"
            galley by docker-container
            galley0 at unix:///var/run/docker.sock is running, BuildKit 0.18.2, for linux/amd64 linux/386
              env.X: a "q" \ b=
              network: host
        "#]],
    );
}

#[test]
fn nodes_of_a_cluster_are_told_apart() {
    check(
        "Name:          kube\n\
         Driver:        kubernetes\n\
         Last Activity: 2026-11-21 18:23:37 +0000 UTC\n\
         \n\
         Nodes:\n\
         Name:                  kube0\n\
         Endpoint:              kubernetes:///kube?deployment=kube0&kubeconfig=%2Fhome%2Fme%2F.kube%2Fconfig\n\
         Driver Options:        namespace=\"b\" nodeselector=\"kubernetes.io/arch=amd64,disk=ssd\" replicas=\"2\"\n\
         Status:                inactive\n\
         BuildKit daemon flags: --allow-insecure-entitlement=network.host\n\
         Platforms:             linux/amd64*\n\
         \n\
         Name:                  kube1\n\
         Endpoint:              kubernetes:///kube?deployment=kube1&kubeconfig=%2Fhome%2Fme%2F.kube%2Fconfig\n\
         Error:                 cannot determine Kubernetes namespace, specify manually\n",
        &expect![[r#"
            kube by kubernetes
            kube0 at kubernetes:///kube?deployment=kube0&kubeconfig=%2Fhome%2Fme%2F.kube%2Fconfig is inactive, BuildKit ?, for linux/amd64
              namespace: b
              nodeselector: kubernetes.io/arch=amd64,disk=ssd
              replicas: 2
            kube1 at kubernetes:///kube?deployment=kube1&kubeconfig=%2Fhome%2Fme%2F.kube%2Fconfig is cannot determine Kubernetes namespace, specify manually, BuildKit ?, for 
        "#]],
    );
}

#[test]
fn a_daemon_far_away_has_its_url() {
    check(
        "Name:          far\n\
         Driver:        remote\n\
         \n\
         Nodes:\n\
         Name:           far0\n\
         Endpoint:       tcp://127.0.0.1:1235\n\
         Driver Options: cacert=\"/certs/ca.pem\" servername=\"build\"\n\
         Status:         inactive\n\
         Platforms:      linux/amd64*\n",
        &expect![[r#"
            far by remote
            far0 at tcp://127.0.0.1:1235 is inactive, BuildKit ?, for linux/amd64
              cacert: /certs/ca.pem
              servername: build
        "#]],
    );
}

#[test]
fn an_engine_that_does_not_answer_is_no_builder() {
    let said = "Name:   default\nDriver: \nError:  Cannot connect to the Docker daemon at unix:///x.\n";
    assert_eq!(Builder::parse(said), None);
    assert_eq!(Builder::parse(""), None);
}

#[test]
fn a_version_that_is_not_told_is_not_too_old() {
    let too_old =
        |said: &str| Buildx { version: Version::parse(&number_in(said)), builder: None }.is_too_old();
    assert!(too_old("github.com/docker/buildx v0.12.1 30feaa1a915b869ebc2eea6328624b49facd4bfb"));
    assert!(!too_old("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3"));
    assert!(!too_old("github.com/docker/buildx v1.0 abc"));
    assert!(!too_old("github.com/docker/buildx v0.0.0+unknown "));
    assert!(!too_old("github.com/docker/buildx"));
}

#[test]
fn what_cannot_be_used_is_said_in_one_line() {
    let error = |found: Option<&Buildx>| Buildx::usable(found).unwrap_err().to_string();
    expect!["docker has no buildx, or is not on PATH: https://github.com/docker/buildx#installing"]
        .assert_eq(&error(None));
    let old = Buildx { version: Version::parse("v0.12.1"), builder: None };
    expect![
        "docker buildx is 0.12.1, too old: 0.13.0 is needed: https://github.com/docker/buildx#installing"
    ]
    .assert_eq(&error(Some(&old)));
}

#[test]
fn what_a_cache_holds_is_in_the_last_line() {
    let said = "ID\t\t\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n\
        jcsw46o6p1zs4h5sx9mo1vtl9               \ttrue \t\t0B        \t39 minutes ago\n\
        Shared:\t\t5.322GB\nPrivate:\t5.033GB\nReclaimable:\t10.36GB\nTotal:\t\t10.36GB\n";
    assert_eq!(total(said), Some(10_360_000_000));
    assert_eq!(total("Reclaimable:\t0B\nTotal:\t\t0B\n"), Some(0));
    assert_eq!(total("ERROR: no builder"), None);
}

#[test]
fn what_prune_keeps_is_spelled_as_buildx_knows_it() {
    let flag = |version| Buildx { version: Version::parse(version), builder: None }.keep_flag();
    assert_eq!(["0.13.1", "0.16.2", "?"].map(flag), ["--keep-storage"; 3]);
    assert_eq!(["0.17.0", "1.0.0"].map(flag), ["--reserved-space"; 2]);
}
