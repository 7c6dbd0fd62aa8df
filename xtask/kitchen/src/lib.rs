//! The build dashboard. It runs `cargo xtask … --message-format json` and reads its events: how the service is built it
//! does not know.
//!
//! ```text
//! request -> queue -> process -> log file and history -> page
//! ```
//!
//! The log file is the truth: what is shown of a build is read from it, by byte offset.

pub mod build;
mod clock;
mod compare;
mod log;
pub mod place;
pub mod publish;
pub mod run;
pub mod store;
mod terminal;
pub mod web;
