//! Settings: defaults, then config/app.toml, then the environment, each over the one before.
//!
//! Nothing else reads the file or `APP__…`. What is unknown or of the wrong type is refused, and named.

use std::{
    env,
    ffi::OsString,
    fmt::{self, Display},
    fs, io,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU16,
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use toml::{Table, Value};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::db;

/// Relative to the working folder, which is /app in the image.
const FILE: &str = "config/app.toml";
const PREFIX: &str = "APP__";
const LEVEL_SEPARATOR: &str = "__";

/// All settings of the service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[log]`
    pub log: Log,
}

/// How HTTP is served.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose a free one.
    pub port: u16,
    /// A request that takes longer is answered 503.
    #[serde(deserialize_with = "seconds")]
    pub request_timeout: Duration,
    /// After the signal to stop, how long requests under way may take to finish.
    #[serde(deserialize_with = "seconds")]
    pub shutdown_timeout: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::UNSPECIFIED.into(),
            port: 8080,
            request_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// Where the notes are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The database this binary was built for.
    pub url: DatabaseUrl,
    /// How many requests may use the database at once; the others wait.
    pub max_connections: NonZeroU16,
    /// A request that finds no free connection for this long is answered 503.
    #[serde(deserialize_with = "seconds")]
    pub acquire_timeout: Duration,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: DatabaseUrl(db::DEFAULT_URL.to_owned()),
            max_connections: const { NonZeroU16::new(8).unwrap() },
            acquire_timeout: Duration::from_secs(2),
        }
    }
}

/// What is logged.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A level, or targets with levels: `info,sqlx=debug`.
    #[serde(deserialize_with = "from_str")]
    pub filter: Targets,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: Targets::new().with_default(LevelFilter::INFO) }
    }
}

/// A URL for the backend of this binary. It may hold a password, so it cannot be printed by accident.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with everything in it, for the database driver only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        db::check_url(&url).map(|()| Self(url))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// Settings that were refused: where they stand, and why.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct SettingsError {
    place: String,
    reason: String,
}

impl SettingsError {
    fn new(place: impl Into<String>, reason: impl Display) -> Self {
        // toml adds the key on a line of its own; an error here is always one line.
        let reason = reason.to_string().trim_end().replace('\n', " ");
        Self { place: place.into(), reason }
    }

    fn in_file(text: &str, mut error: toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(start).filter(|&byte| byte == b'\n').count();
        // Without its input, the error quotes no line of the file: it could be the one with the password.
        error.set_input(None);
        Self::new(format!("{FILE}, line {line}"), error)
    }
}

impl Settings {
    /// Reads all layers.
    ///
    /// # Errors
    /// When the file cannot be read, or a layer holds something unknown or of the wrong type.
    pub fn load() -> Result<Self, SettingsError> {
        let file = match fs::read_to_string(FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            result => result.map_err(|error| SettingsError::new(FILE, error))?,
        };
        Self::from_layers(&file, env::vars_os())
    }

    fn from_layers(
        file: &str,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut settings: Self = toml::from_str(file).map_err(|error| SettingsError::in_file(file, error))?;
        let mut table: Table = toml::from_str(file).map_err(|error| SettingsError::in_file(file, error))?;

        for (name, value) in relevant(environment)? {
            if name == "RUST_LOG" {
                settings.log.filter = value.parse().map_err(|error| SettingsError::new(name, error))?;
            } else if let Some(key) = name.strip_prefix(PREFIX) {
                (settings, table) =
                    overlay(table, key, &value).map_err(|error| SettingsError::new(name, error))?;
            }
        }
        Ok(settings)
    }
}

/// The variables that are ours, in the order of their names: `APP__…`, then `RUST_LOG` to win over `APP__LOG__FILTER`.
fn relevant(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, SettingsError> {
    let mut variables = Vec::new();
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        // An empty variable is how compose files and shells say "not set".
        if value.is_empty() || !(name.starts_with(PREFIX) || name == "RUST_LOG") {
            continue;
        }
        let value = value.into_string().map_err(|_| SettingsError::new(&name, "not valid UTF-8"))?;
        variables.push((name, value));
    }
    variables.sort();
    Ok(variables)
}

/// Sets one key and checks the whole again, so that an error belongs to this one variable.
///
/// A variable is only text. Whether `1` is a number is known by the setting it is for, so each reading is tried.
fn overlay(table: Table, key: &str, text: &str) -> Result<(Settings, Table), toml::de::Error> {
    let path: Vec<String> = key.split(LEVEL_SEPARATOR).map(str::to_lowercase).collect();
    let number = text.parse().map(Value::Integer).or_else(|_| text.parse().map(Value::Float));
    let string = Value::String(text.to_owned());

    let attempt = |value| {
        let table = with(table.clone(), &path, value);
        table.clone().try_into().map(|settings| (settings, table))
    };
    match number {
        Ok(number) => attempt(number).or_else(|error| attempt(string).map_err(|_| error)),
        Err(_) => attempt(string),
    }
}

/// The table with a value set at the path. Whatever stands in the way is replaced: the check that follows refuses it.
fn with(mut table: Table, path: &[String], value: Value) -> Table {
    if let [first, rest @ ..] = path {
        let value = match (rest, table.remove(first)) {
            ([], _) => value,
            (_, Some(Value::Table(inner))) => Value::Table(with(inner, rest, value)),
            _ => Value::Table(with(Table::new(), rest, value)),
        };
        table.insert(first.clone(), value);
    }
    table
}

/// Seconds, whole or with a fraction. Above a day is surely a mistake, and some timers end in a panic on it.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?)
        .ok()
        .filter(|duration| !duration.is_zero() && *duration <= DAY)
        .ok_or_else(|| de::Error::custom("expected a number of seconds above 0, at most a day"))
}

fn from_str<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests;
