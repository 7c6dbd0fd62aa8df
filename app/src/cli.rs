//! The command line: one command, and flags named as the settings are.

use std::ffi::OsString;

/// What `app --help` prints.
pub const USAGE: &str = "\
Usage: app [COMMAND] [--KEY=VALUE]...

Serves notes over HTTP until SIGTERM or SIGINT; a second signal ends it at once.

Commands:
  serve           Serve; what happens without a command
  migrate         Bring the database's tables up to date, and end
  healthcheck     Ask a running service whether it is ready, on its admin port
  --check-config  Read all settings, say what is wrong with them, and end
  --version       Print version, backend and commit
  --help          Print this

Settings, each over the one before:
  config/app.toml             where there is one; it lists every KEY
  config/app.<APP_ENV>.toml   such as app.production.toml
  the file APP_CONFIG names
  APP__SERVER__PORT=9000      the environment; lists are comma-separated
  APP__DATABASE__URL_FILE=…   the same, read from a file, for secrets
  --server.port=9000          flags
RUST_LOG sets log.filter, and OTEL_EXPORTER_OTLP_ENDPOINT otlp.endpoint.

Exit codes: 0 stopped as asked, 1 failed, 2 bad usage or settings, 3 cannot listen,
4 bad certificate, 5 cannot open the database, 6 its tables do not fit, 7 a migration
was not completed, 8 requests were cut off.";

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Serve until a signal.
    Serve,
    /// Apply migrations.
    Migrate,
    /// Ask a running service.
    Healthcheck,
    /// Read settings only.
    CheckConfig,
    /// Print what this is.
    Version,
    /// Print [`USAGE`].
    Help,
}

/// A command line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Cli {
    /// What to do.
    pub command: Command,
    /// Keys, such as `server.port`, with their values.
    pub flags: Vec<(String, String)>,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// With what is not understood. Nothing is repeated that may be a secret.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, String> {
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let mut cli = Cli { command: Command::Serve, flags: Vec::new() };
    let mut commanded = None;
    while let Some(argument) = arguments.next() {
        if let Some(command) = command(&argument) {
            if let Some(first) = commanded.replace(argument.clone()) {
                return Err(format!("`{first}` and `{argument}` cannot be done at once"));
            }
            cli.command = command;
            continue;
        }
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let Some(key) = name.strip_prefix("--").filter(|key| key.contains('.')) else {
            let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            let name = if is_word { format!(" `{name}`") } else { String::new() };
            return Err(format!("unknown argument{name}; `app --help` lists what there is"));
        };
        let value = value.or_else(|| arguments.next()).ok_or_else(|| format!("`{name}` needs a value"))?;
        cli.flags.push((key.to_owned(), value));
    }
    Ok(cli)
}

fn command(argument: &str) -> Option<Command> {
    Some(match argument {
        "serve" => Command::Serve,
        "migrate" => Command::Migrate,
        "healthcheck" => Command::Healthcheck,
        "--check-config" => Command::CheckConfig,
        "--version" | "-V" => Command::Version,
        "--help" | "-h" => Command::Help,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_and_settings_are_told_apart() {
        let flag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read(""), Ok(Cli { command: Command::Serve, flags: vec![] }));
        assert_eq!(
            read("--server.port=1 migrate --database.url file:a=b"),
            Ok(Cli {
                command: Command::Migrate,
                flags: vec![flag("server.port", "1"), flag("database.url", "file:a=b")]
            })
        );
    }

    #[test]
    fn mistakes_are_named_without_values() {
        for (line, complaint) in [
            ("--verison", "unknown argument `--verison`; `app --help` lists what there is"),
            ("mirgate", "unknown argument `mirgate`; `app --help` lists what there is"),
            ("--password=hunter2", "unknown argument `--password`; `app --help` lists what there is"),
            ("db://me:hunter2@db/app", "unknown argument; `app --help` lists what there is"),
            ("--server.port", "`--server.port` needs a value"),
            ("migrate healthcheck", "`migrate` and `healthcheck` cannot be done at once"),
        ] {
            assert_eq!(read(line), Err(complaint.to_owned()));
        }
    }
}
