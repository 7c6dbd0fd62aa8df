//! Projects that were there before adopt the pipeline.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adopted;
mod refused;
mod support;
mod updated;
