//! Images in a registry, in the hands of others: what our engine pushed is pulled, run, copied, unpacked and built upon by
//! Docker, podman, skopeo, umoci and BuildKit, and what those made is built upon, or taken over, by our engine.
//!
//! Each test has a registry of its own, the program `docker-registry`. Docker is tried with both of its image stores: the
//! engine that runs has one of them, and for the other these tests start an engine of their own where they may.

#![allow(clippy::unwrap_used, reason = "clippy knows only functions marked #[test] as tests")]
#![allow(unreachable_pub, reason = "one binary")]

mod based;
mod built;
#[path = "../registry/check.rs"]
#[allow(dead_code, reason = "shared with the tests of the registry")]
mod check;
#[path = "../common/mod.rs"]
mod common;
mod copied;
mod daemon;
mod engines;
#[path = "../registry/http.rs"]
#[allow(dead_code, reason = "shared with the tests of the registry")]
mod http;
mod imported;
mod listing;
mod pulled;
mod sample;
#[path = "../registry/server.rs"]
#[allow(dead_code, reason = "shared with the tests of the registry")]
mod server;
mod shell;
mod unpacked;

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let engines = engines::find(arguments.list);
    let trials = [
        pulled::trials(&engines),
        copied::trials(),
        unpacked::trials(),
        built::trials(&engines),
        based::trials(&engines),
        imported::trials(&engines),
    ];
    let mut trials = trials.into_iter().flatten().collect::<Vec<_>>();
    if server::program().is_none() {
        let count = trials.len();
        let _ = writeln!(stderr(), "skipped: {count} tests need the program docker-registry or registry");
        trials = trials.into_iter().map(|trial| trial.with_ignored_flag(true)).collect();
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
