//! The flags of `cargo xtask soak`. `xtask` and `xtask-soak` both compile this file, so that they cannot disagree:
//! xtask depends on nothing that is heavy, xtask-soak among it.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};
use db_servers::Backend;

/// What is measured, and for how long.
#[derive(Clone, Debug, Args)]
pub(crate) struct SoakFlags {
    /// What to put the service through [default: everything]
    #[arg(value_enum)]
    pub(crate) scenarios: Vec<Scenario>,
    /// A database to do it with; may be repeated [default: all in config/pipeline.toml]
    #[arg(long = "backend", value_name = "BACKEND")]
    pub(crate) backends: Vec<Backend>,
    /// How often each side of a comparison is measured; the median counts
    #[arg(long, value_name = "N", default_value = "3")]
    pub(crate) rounds: NonZeroU32,
    /// How long one measurement of throughput takes
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) seconds: NonZeroU32,
    /// What the report is written as
    #[arg(long, value_enum, default_value = "markdown")]
    pub(crate) format: Format,
}

/// Something to put the service through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Throughput and p99 of /healthz at 64 connections, beside plain axum
    Health,
    /// Throughput of reading a note through the whole stack, beside plain axum with the same query
    Read,
    /// Four times as many requests at once as it takes: only 200 and 503, probes in time, well again at once
    Overload,
    /// 200 clients that send half a header: they are let go, and the others notice nothing
    Halfopen,
    /// SIGTERM under load, 20 times: no request is dropped, a stream does not hold it up
    Term,
    /// The database is killed, and made to stand still, for 30 s: alive, refusing in time, well again by itself
    Outage,
    /// kill -9 of the service and of the database server, 50 times amid writes: nothing broken, nothing lost
    Crash,
    /// Ten minutes of all kinds of requests: the process does not grow
    Memory,
    /// From the start of the process to the first 200 of /readyz
    Start,
    /// Throughput of the build with musl and mimalloc, beside the one with glibc
    Musl,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for docs/service.md
    Markdown,
    /// One object
    Json,
}
