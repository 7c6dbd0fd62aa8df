//! The layers of settings: what wins, what is refused, and what the refusal says.

use std::fs;

use super::{layers::File, *};
use crate::db;

fn layered(
    files: &[(&str, &str)],
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Settings, String> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| File { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect();
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let flags: Vec<_> = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Settings::from_layers(&files, environment, &flags).map_err(|error| error.to_string())
}

fn settings(file: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    layered(&[("config/app.toml", file)], environment, &[])
}

fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
    settings(file, environment).unwrap_err()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let settings = settings("", &[]).unwrap();
    assert_eq!((settings.server.host.to_string().as_str(), settings.server.port), ("0.0.0.0", 8080));
    assert_eq!(settings.database.url.expose(), db::DEFAULT_URL);
    assert_eq!(settings.log.filter.to_string(), "info");
}

#[test]
fn the_committed_file_shows_the_defaults() {
    let committed = settings(include_str!("../../../config/app.toml"), &[]).unwrap();
    assert_eq!(format!("{committed:?}"), format!("{:?}", Settings::default()));
    assert_eq!(committed.database.url.expose(), db::DEFAULT_URL);
}

#[test]
fn production_differs_from_the_defaults() {
    let file = include_str!("../../../config/app.production.toml");
    let production = layered(&[("config/app.production.toml", file)], &[], &[]).unwrap();
    assert_eq!(production.log.format, LogFormat::Json);
    // What platforms allow by default.
    let server = production.server;
    assert!(server.drain_time + server.shutdown_timeout < Duration::from_secs(30));
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let files = [
        ("config/app.toml", "[server]\nport = 1\nrequest_timeout = 3\n[log]\nfilter = 'warn'"),
        ("config/app.test.toml", "[server]\nport = 2\nmax_requests = 5"),
    ];
    let environment = [
        ("APP__LOG__FILTER", "debug"),
        ("APP__SERVER__PORT", "3"),
        ("APP__SERVER__SHUTDOWN_TIMEOUT", "0.5"),
        ("APP__SERVER__CORS_ORIGINS", "https://a.example, https://b.example"),
        ("APP__DATABASE__MIGRATE", "false"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("RUST_LOG", "error,sqlx=trace"),
    ];
    let settings = layered(&files, &environment, &[]).unwrap();
    assert_eq!(settings.server.port, 3);
    assert_eq!(settings.server.max_requests.get(), 5);
    assert_eq!(settings.server.request_timeout, Duration::from_secs(3));
    assert_eq!(settings.server.shutdown_timeout, Duration::from_millis(500));
    assert_eq!(settings.server.cors_origins, ["https://a.example", "https://b.example"]);
    assert!(!settings.database.migrate);
    assert_eq!(settings.otlp.endpoint.as_deref(), Some("http://collector:4318"));
    assert_eq!(settings.log.filter, "error,sqlx=trace".parse().unwrap());

    let flags = [("server.port", "4"), ("log.filter", "off"), ("server.port", "5")];
    let settings = layered(&files, &environment, &flags).unwrap();
    assert_eq!(settings.server.port, 5);
    assert_eq!(settings.log.filter, "off".parse().unwrap());
}

#[test]
fn a_secret_can_come_from_a_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("url");
    let url = format!("{}hunter2", db::DEFAULT_URL);
    fs::write(&path, format!("{url}\n")).unwrap();
    let path = path.to_str().unwrap();

    let read = settings("", &[("APP__DATABASE__URL_FILE", path)]).unwrap();
    assert_eq!(read.database.url.expose(), url);
    let refused = refusal("", &[("APP__DATABASE__URL_FILE", "/nowhere")]);
    assert!(refused.starts_with("APP__DATABASE__URL_FILE: cannot read /nowhere: No such file"), "{refused}");
    let wrong = refusal("", &[("APP__SERVER__PORT_FILE", path)]);
    assert_eq!(wrong, "APP__SERVER__PORT_FILE: what the file holds cannot be used as `server.port`");
    let twice = [("APP__DATABASE__URL_FILE", path), ("APP__DATABASE__URL", db::DEFAULT_URL)];
    assert_eq!(refusal("", &twice), "APP__DATABASE__URL_FILE: APP__DATABASE__URL is set as well");
}

#[test]
fn a_refused_flag_is_named() {
    for (key, value, expected) in [
        ("server.prot", "1", "--server.prot: unknown field `prot`, expected one of `host`, `port`"),
        ("server.port", "x", "--server.port: invalid type: string \"x\", expected u16 in `server.port`"),
        ("sever.port", "1", "--sever.port: unknown field `sever`, expected one of `server`"),
    ] {
        let refusal = layered(&[], &[], &[(key, value)]).unwrap_err();
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[test]
fn other_and_empty_variables_are_left_alone() {
    // Kubernetes sets APP_PORT in every pod when there is a service named "app".
    let environment = [("APP_PORT", "tcp://10.0.0.1:80"), ("APP__SERVER__PORT", ""), ("RUST_LOG", "")];
    assert_eq!(settings("", &environment).unwrap().server.port, 8080);
}

#[test]
fn a_refused_line_of_the_file_is_named() {
    let cases = [
        ("[server]\n\nprot = 1", "line 3: unknown field `prot`, expected one of `host`, `port`"),
        ("[server]\nport = 'x'", "line 2: invalid type: string \"x\", expected u16 in `server.port`"),
        ("\nport 1", "line 2: "),
        ("[database]\nmax_connections = 0", "line 2: invalid value: integer `0`, expected a nonzero u16"),
        ("[server]\nrequest_timeout = 0", "line 2: expected a number of seconds above 0"),
        ("[log]\nfilter = 'loud=very'", "line 2: error parsing level filter"),
    ];
    for (file, expected) in cases {
        let refusal = refusal(file, &[]);
        assert!(refusal.starts_with(&format!("config/app.toml, {expected}")), "{refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn a_refused_variable_is_named() {
    let cases = [
        ("APP__SERVER__PROT", "1", "unknown field `prot`"),
        ("APP__SERVER__PORT", "x", "invalid type: string \"x\", expected u16 in `server.port`"),
        ("APP__SERVER__PORT", "70000", "invalid value: integer `70000`, expected u16 in `server.port`"),
        ("APP__SERVER__PORT__X", "1", "invalid type: map, expected u16 in `server.port`"),
        ("APP__SERVER", "1", "invalid type: integer `1`"),
        ("APP__DATABASE__TIMEOUT", "86401", "expected a number of seconds, at most a day"),
        ("APP__SERVER__REQUEST_TIMEOUT", "inf", "expected a number of seconds, at most a day"),
        ("RUST_LOG", "loud=very", "error parsing level filter"),
    ];
    for (name, value, expected) in cases {
        let refusal = refusal("", &[("APP__LOG__FILTER", "info"), (name, value)]);
        assert!(refusal.starts_with(&format!("{name}: {expected}")), "{refusal}");
    }
}

#[test]
fn no_password_is_printed() {
    assert!(!refusal("[database]\nurl = 'other://user:hunter2@db/notes'", &[]).contains("hunter2"));
    assert!(!refusal(&format!("[database]\nurl = '{}hunter2", db::DEFAULT_URL), &[]).contains("hunter2"));

    let accepted = settings(&format!("[database]\nurl = '{}hunter2'", db::DEFAULT_URL), &[]).unwrap();
    assert!(!format!("{accepted:?}").contains("hunter2"));
}
