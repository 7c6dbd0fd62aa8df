//! The program: reads the command line and the settings, does what is asked; every failure is one line and an exit code.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use app::{
    cli::{self, Cli, Command},
    config::Settings,
    db,
    error::Error,
    healthcheck, server,
    telemetry::{self, Telemetry},
};

// musl's own allocator is many times slower under threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Set by the pipeline. Here and not in the library: a new commit alone then costs a second of compiling.
const COMMIT: Option<&str> = option_env!("APP_COMMIT");

#[expect(clippy::print_stderr, reason = "a command line talks to its user")]
fn main() -> ExitCode {
    match run() {
        Ok(answer) => {
            // Whoever closed the pipe does not want to read it.
            let _ = io::stdout().write_all(answer.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("app: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Gives what is to be printed at the end.
fn run() -> Result<String, Error> {
    let Cli { command, flags } = cli::parse(env::args_os().skip(1)).map_err(Error::Usage)?;
    Ok(match command {
        Command::Help => format!("{}\n", cli::USAGE),
        Command::Version => {
            let commit = COMMIT.map(|commit| format!(", commit {commit}")).unwrap_or_default();
            format!("app {VERSION} ({}{commit})\n", db::BACKEND)
        }
        Command::CheckConfig => {
            server::check(&Settings::load(&flags)?)?;
            "the settings are valid\n".to_owned()
        }
        Command::Healthcheck => {
            healthcheck::run(&Settings::load(&flags)?.admin)?;
            String::new()
        }
        Command::Migrate => {
            let (settings, _telemetry) = start(&flags)?;
            let applied = server::migrate(&settings)?;
            match applied.len() {
                0 => "applied 0 migrations: the tables are up to date\n".to_owned(),
                1 => format!("applied 1 migration: {}\n", applied.join(", ")),
                several => format!("applied {several} migrations: {}\n", applied.join(", ")),
            }
        }
        Command::Serve => {
            let (settings, _telemetry) = start(&flags)?;
            server::run(&settings)?;
            String::new()
        }
    })
}

fn start(flags: &[(String, String)]) -> Result<(Settings, Telemetry), Error> {
    let settings = Settings::load(flags)?;
    let telemetry = telemetry::start(&settings);
    Ok((settings, telemetry))
}
