//! Settings from their layers, each over the one before: files, the environment, flags.
//!
//! Each file is checked by itself and each variable or flag when it is laid over the rest, so that a refusal names the
//! place that has to be corrected.

use std::{ffi::OsString, fmt::Display, fs, io};

use toml::{Table, Value};

use super::Settings;

/// Relative to the working folder, which is /app in the image.
const FILE: &str = "config/app.toml";
const PREFIX: &str = "APP__";
const LEVEL_SEPARATOR: &str = "__";
/// A variable that ends so names the file that holds the value: how secrets reach a container.
const FROM_FILE: &str = "_FILE";

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

    fn in_file(file: &File, mut error: toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + file.text.bytes().take(start).filter(|&byte| byte == b'\n').count();
        // Without its input, the error quotes no line of the file: it could be the one with the password.
        error.set_input(None);
        Self::new(format!("{}, line {line}", file.name), error)
    }

    fn in_assignment(assignment: &Assignment, error: toml::de::Error) -> Self {
        if assignment.is_secret {
            let key = assignment.key.join(".");
            Self::new(&assignment.place, format!("what the file holds cannot be used as `{key}`"))
        } else {
            Self::new(&assignment.place, error)
        }
    }
}

/// A file that was read.
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

/// One setting from the environment or the command line.
struct Assignment {
    /// The variable or flag.
    place: String,
    key: Vec<String>,
    value: String,
    /// Whether it was read from a file, as secrets are: then no message may quote it.
    is_secret: bool,
}

impl Settings {
    /// Reads all layers. Flags are pairs of a key, such as `server.port`, and a value.
    ///
    /// # Errors
    /// When a file cannot be read, or a layer holds something unknown or of the wrong type.
    pub fn load(flags: &[(String, String)]) -> Result<Self, SettingsError> {
        let environment: Vec<_> = std::env::vars_os().collect();
        Self::from_layers(&files(&environment)?, environment, flags)
    }

    pub(super) fn from_layers(
        files: &[File],
        environment: Vec<(OsString, OsString)>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        let mut table = Table::new();
        for file in files {
            // Line and column are known only now; each file may leave out what another one sets.
            let _: Self = toml::from_str(&file.text).map_err(|error| SettingsError::in_file(file, error))?;
            let over = toml::from_str(&file.text).map_err(|error| SettingsError::in_file(file, error))?;
            merge(&mut table, over);
        }
        let mut settings = table.clone().try_into().map_err(|error| SettingsError::new(FILE, error))?;

        for assignment in from_environment(environment)?.into_iter().chain(from(flags)) {
            (settings, table) = overlay(table, &assignment.key, &assignment.value)
                .map_err(|error| SettingsError::in_assignment(&assignment, error))?;
        }
        Ok(settings)
    }
}

/// config/app.toml where there is one, the one of `APP_ENV` over it, and the one that `APP_CONFIG` names.
fn files(environment: &[(OsString, OsString)]) -> Result<Vec<File>, SettingsError> {
    let variable = |wanted: &str| {
        let found = environment.iter().find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.to_string_lossy().into_owned())
    };
    let environment_name = variable("APP_ENV");
    if let Some(name) = &environment_name
        && !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(SettingsError::new("APP_ENV", "must be a name, such as production"));
    }
    let named = [
        environment_name.map(|name| ("APP_ENV", format!("config/app.{name}.toml"))),
        variable("APP_CONFIG").map(|name| ("APP_CONFIG", name)),
    ];
    let mut files = Vec::new();
    match fs::read_to_string(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(SettingsError::new(FILE, error)),
        Ok(text) => files.push(File { name: FILE.to_owned(), text }),
    }
    for (variable, name) in named.into_iter().flatten() {
        let text = fs::read_to_string(&name)
            .map_err(|error| SettingsError::new(variable, format!("cannot read {name}: {error}")))?;
        files.push(File { name, text });
    }
    Ok(files)
}

/// The variables that are ours. Those that other tools know too frame ours: `RUST_LOG` is what people type in a hurry.
fn from_environment(environment: Vec<(OsString, OsString)>) -> Result<Vec<Assignment>, SettingsError> {
    let mut assignments = Vec::new();
    for (name, value) in environment {
        let Ok(name) = name.into_string() else { continue };
        let key = match name.as_str() {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => "OTLP__ENDPOINT",
            "RUST_LOG" => "LOG__FILTER",
            _ => name.strip_prefix(PREFIX).unwrap_or_default(),
        };
        // An empty variable is how compose files and shells say "not set".
        if key.is_empty() || value.is_empty() {
            continue;
        }
        let mut value = value.into_string().map_err(|_| SettingsError::new(&name, "not valid UTF-8"))?;
        let is_secret = key.ends_with(FROM_FILE);
        let key = match key.strip_suffix(FROM_FILE) {
            None => key,
            Some(key) => {
                let content = fs::read_to_string(&value)
                    .map_err(|error| SettingsError::new(&name, format!("cannot read {value}: {error}")))?;
                value = content.trim_end_matches(['\r', '\n']).to_owned();
                key
            }
        };
        let key = key.split(LEVEL_SEPARATOR).map(str::to_lowercase).collect();
        assignments.push(Assignment { place: name, key, value, is_secret });
    }
    // Of two for one key, the first by name would lose silently.
    let place = |assignment: &Assignment| match assignment.place.as_str() {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => 0,
        "RUST_LOG" => 2,
        _ => 1,
    };
    assignments.sort_by(|a, b| (place(a), &a.key, &a.place).cmp(&(place(b), &b.key, &b.place)));
    let twice =
        assignments.windows(2).find(|pair| place(&pair[0]) == place(&pair[1]) && pair[0].key == pair[1].key);
    match twice {
        None => Ok(assignments),
        Some(pair) => Err(SettingsError::new(&pair[1].place, format!("{} is set as well", pair[0].place))),
    }
}

fn from(flags: &[(String, String)]) -> impl Iterator<Item = Assignment> {
    flags.iter().map(|(key, value)| Assignment {
        place: format!("--{key}"),
        key: key.split('.').map(str::to_owned).collect(),
        value: value.clone(),
        is_secret: false,
    })
}

/// Sets one key and checks the whole again, so that an error belongs to this one variable or flag.
///
/// It is only text. Whether `1` is a number is known by the setting it is for, so each reading is tried.
fn overlay(table: Table, key: &[String], text: &str) -> Result<(Settings, Table), toml::de::Error> {
    let number = text.parse().map(Value::Integer).or_else(|_| text.parse().map(Value::Float)).ok();
    let boolean = text.parse().map(Value::Boolean).ok();
    let list = text.split(',').map(|item| Value::String(item.trim().to_owned())).collect();
    let readings = [number, boolean, Some(Value::String(text.to_owned())), Some(Value::Array(list))];

    let mut refusal = None;
    for value in readings.into_iter().flatten() {
        let table = with(table.clone(), key, value);
        match table.clone().try_into() {
            Ok(settings) => return Ok((settings, table)),
            // The first reading is the likeliest, and so is what was wrong with it.
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| serde::de::Error::custom("no value")))
}

/// Lays one table over another, key by key.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
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
