//! The layers of settings: what wins, what is refused, and what the refusal says.

use super::*;
use crate::db;

fn settings(file: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    Settings::from_layers(file, environment).map_err(|error| error.to_string())
}

fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
    settings(file, environment).unwrap_err()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let settings = settings("", &[]).unwrap();
    assert_eq!((settings.server.host.to_string().as_str(), settings.server.port), ("0.0.0.0", 8080));
    assert_eq!(settings.database.url.expose(), "sqlite://data/app.db");
    assert_eq!(settings.log.filter.to_string(), "info");
}

#[test]
fn the_committed_file_shows_the_defaults() {
    let committed = settings(include_str!("../../../config/app.toml"), &[]).unwrap();
    assert_eq!(format!("{committed:?}"), format!("{:?}", Settings::default()));
    assert_eq!(committed.database.url.expose(), db::DEFAULT_URL);
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let file = "[server]\nport = 1\nrequest_timeout = 3\n[log]\nfilter = 'warn'";
    let environment = [
        ("APP__LOG__FILTER", "debug"),
        ("APP__SERVER__PORT", "2"),
        ("APP__SERVER__SHUTDOWN_TIMEOUT", "0.5"),
        ("RUST_LOG", "error,sqlx=trace"),
    ];
    let settings = settings(file, &environment).unwrap();
    assert_eq!(settings.server.port, 2);
    assert_eq!(settings.server.request_timeout, Duration::from_secs(3));
    assert_eq!(settings.server.shutdown_timeout, Duration::from_millis(500));
    assert_eq!(settings.log.filter, "error,sqlx=trace".parse().unwrap());
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
    let file = "[database]\nurl = 'postgres://user:hunter2@db/notes'";
    assert!(!refusal(file, &[]).contains("hunter2"));
    assert!(!refusal("[database]\nurl = 'sqlite://hunter2", &[]).contains("hunter2"));

    let accepted = settings("[database]\nurl = 'sqlite://hunter2'", &[]).unwrap();
    assert!(!format!("{accepted:?}").contains("hunter2"));
}
