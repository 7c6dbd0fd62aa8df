//! Kitchen as a process of its own, asked over sockets: what it costs to be looked at by many.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

mod process;
mod search;
mod viewer;
mod viewers;
