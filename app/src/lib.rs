//! A service that keeps notes: HTTP over one database, chosen when it is built.
//!
//! Start reading at [`server::run`]: it opens the database, serves [`http::router`] and stops when asked.

pub mod cli;
pub mod config;
pub mod db;
pub mod error;
pub mod healthcheck;
pub mod http;
pub mod metrics;
pub mod server;
pub mod shutdown;
pub mod telemetry;
