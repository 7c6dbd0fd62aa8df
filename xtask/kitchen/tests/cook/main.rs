//! The cook: builds that run, are killed, and were left behind. A script stands in the place of cargo.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod killed;
mod kitchen;
mod retain;
mod run;
mod terminal;
