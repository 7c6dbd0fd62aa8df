//! Logs, on stderr: colours for people at a terminal, plain lines for everything else.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging for the whole process; when something logs already, that stays in charge.
pub fn start(filter: Targets) {
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let printer = tracing_subscriber::fmt::layer()
        .compact()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color);
    // An error here means a subscriber is already set, as it may be in a test.
    let _ = tracing_subscriber::registry().with(filter).with(printer).try_init();
}
