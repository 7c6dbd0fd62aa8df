//! What compose.yaml says again, because it cannot read config/. It is compared by lines, which takes no parser.

use crate::config::Pipeline;

const COMPOSE: &str = include_str!("../../../../compose.yaml");

/// This repository's `config/pipeline.toml`.
fn pipeline() -> Pipeline {
    toml::from_str(include_str!("../../../../config/pipeline.toml")).unwrap()
}

#[test]
fn compose_yaml_runs_the_image_as_it_is_configured() {
    let pipeline = pipeline();
    let image = &pipeline.image;
    let ports = image.ports.iter().map(|port| format!("\"127.0.0.1:{port}:{port}\"")).collect::<Vec<_>>();
    let program = format!("{}/{}", image.workdir, pipeline.build.binaries()[0]);
    for line in [
        format!("image: ${{APP_IMAGE:-{}:latest}}", image.repository),
        format!("user: \"{}\"", image.user),
        format!("ports: [{}]", ports.join(", ")),
        format!("volumes: [\"app-data:{}\"]", image.data),
        format!("test: [CMD, {program}, healthcheck]"),
    ] {
        let found = COMPOSE.lines().filter_map(|given| given.trim().strip_prefix(&line));
        let is_whole = |rest: &str| rest.is_empty() || rest.trim_start().starts_with('#');
        assert_eq!(found.filter(|rest| is_whole(rest)).count(), 1, "compose.yaml has to say `{line}` once");
    }
}

#[test]
fn compose_yaml_has_a_service_for_every_backend() {
    for backend in pipeline().build.backends {
        let service = format!("\n  app-{backend}:\n    <<: *app\n    profiles: [{backend}]\n");
        assert_eq!(COMPOSE.matches(&service).count(), 1, "compose.yaml has to have{service}");
    }
}

#[test]
fn compose_yaml_leaves_the_service_the_time_that_it_takes_to_stop() {
    let settings: toml::Table = toml::from_str(include_str!("../../../../config/app.toml")).unwrap();
    let seconds = |section: &str, key: &str| {
        let value = &settings[section][key];
        value.as_float().or(value.as_integer().map(|whole| whole as f64)).unwrap()
    };
    let given = |key: &str| {
        // The service comes before the databases.
        let line = COMPOSE.lines().map(str::trim).find(|line| line.starts_with(&format!("{key}:"))).unwrap();
        line.split_whitespace().nth(1).unwrap().trim_end_matches('s').parse::<f64>().unwrap()
    };
    assert!(
        given("stop_grace_period") > seconds("server", "drain_time") + seconds("server", "shutdown_timeout")
    );
    assert!(given("start_period") > seconds("database", "connect_timeout"));
}
