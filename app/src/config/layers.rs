//! Settings from their layers: config/app.toml, then the environment, each over the one before.

use std::{env, ffi::OsString, fmt::Display, fs, io};

use toml::{Table, Value};

use super::Settings;

/// Relative to the working folder, which is /app in the image.
const FILE: &str = "config/app.toml";
const PREFIX: &str = "APP__";
const LEVEL_SEPARATOR: &str = "__";

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

    pub(super) fn from_layers(
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
