//! The command line: settings, logs, then the server; every failure is one line and an exit code.

use std::{env, process::ExitCode};

use app::{config::Settings, db, error::Error, server, telemetry};

// musl's own allocator is many times slower under threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const VERSION: &str = env!("CARGO_PKG_VERSION");

const USAGE: &str = "\
Usage: app [--help | --version]

Serves notes over HTTP until SIGTERM or SIGINT; a second signal ends it at once.
Settings come from config/app.toml in the working folder, when it is there, and
from the environment over it: APP__SERVER__PORT=9000, RUST_LOG=debug.

Exit codes: 0 stopped as asked, 1 could not start or stop cleanly, 2 bad usage or settings.";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]
fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let result = match arguments.first().map(|argument| argument.to_string_lossy()).as_deref() {
        None => serve(),
        Some("--version" | "-V") => {
            println!("app {VERSION} ({})", db::BACKEND);
            Ok(())
        }
        Some("--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(unknown) => Err(Error::Usage(unknown.to_owned())),
    };

    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("app: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn serve() -> Result<(), Error> {
    let settings = Settings::load()?;
    telemetry::start(settings.log.filter.clone());
    server::run(&settings)
}
