//! The program: reads the command line and the settings, does what is asked; every failure is one line and an exit code.

use std::{env, process::ExitCode};

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
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("app: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line talks to its user")]
fn run() -> Result<(), Error> {
    let Cli { command, flags } = cli::parse(env::args_os().skip(1)).map_err(Error::Usage)?;
    match command {
        Command::Help => println!("{}", cli::USAGE),
        Command::Version => {
            let commit = COMMIT.map(|commit| format!(", commit {commit}")).unwrap_or_default();
            println!("app {VERSION} ({}{commit})", db::BACKEND);
        }
        Command::CheckConfig => {
            server::check(&Settings::load(&flags)?)?;
            println!("the settings are valid");
        }
        Command::Healthcheck => healthcheck::run(&Settings::load(&flags)?.admin)?,
        Command::Migrate => {
            let (settings, _telemetry) = start(&flags)?;
            let applied = server::migrate(&settings)?;
            match applied.len() {
                0 => println!("applied 0 migrations: the tables are up to date"),
                1 => println!("applied 1 migration: {}", applied.join(", ")),
                several => println!("applied {several} migrations: {}", applied.join(", ")),
            }
        }
        Command::Serve => {
            let (settings, _telemetry) = start(&flags)?;
            server::run(&settings)?;
        }
    }
    Ok(())
}

fn start(flags: &[(String, String)]) -> Result<(Settings, Telemetry), Error> {
    let settings = Settings::load(flags)?;
    let telemetry = telemetry::start(&settings);
    Ok((settings, telemetry))
}
