//! `cargo xtask template update` and `diff`, with templates and projects that are made here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "figures that no test can hold a machine to")]

mod chain;
mod drift;
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod pull_request;
mod random;
mod refused;
mod support;
