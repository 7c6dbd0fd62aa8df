//! The guard, route by route, and what the API does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod guard;
mod history;
mod pages;
mod publications;
mod publisher;
mod search;
mod stream;
mod support;
