//! Pushes to and pulls from a real registry, with everything that goes wrong on the way: errors, cuts, damage, slowness,
//! tokens that expire, processes that are killed.
//!
//! The registry is the program `docker-registry`, a Debian package, elsewhere called `registry`. Each test has one of its
//! own, most of them behind a proxy that makes the faults. Where there is no such program, these tests are counted as
//! ignored.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]
#![allow(unreachable_pub, reason = "one binary")]

mod check;
mod chunks;
#[path = "../common/mod.rs"]
mod common;
mod crashes;
mod engine;
mod exchange;
mod fault;
mod http;
mod images;
mod login;
mod logins;
mod memory;
mod proxy;
mod pulls;
mod pushes;
mod refused;
mod rules;
mod sample;
mod server;
mod tokens;
mod verify;
mod waits;

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    if let Some(helped) = engine::help() {
        return if helped { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let trials = [
        pushes::trials(),
        pulls::trials(),
        waits::trials(),
        chunks::trials(),
        logins::trials(),
        refused::trials(),
        tokens::trials(),
        rules::trials(),
        images::trials(),
        verify::trials(),
        crashes::trials(),
        memory::trials(),
    ];
    let mut trials = trials.into_iter().flatten().collect::<Vec<_>>();
    if server::program().is_none() {
        let count = trials.len();
        let _ = writeln!(stderr(), "skipped: {count} tests need the program docker-registry or registry");
        trials = trials.into_iter().map(|trial| trial.with_ignored_flag(true)).collect();
    }
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads.get_or_insert(6);
    libtest_mimic::run(&arguments, trials).exit_code()
}
