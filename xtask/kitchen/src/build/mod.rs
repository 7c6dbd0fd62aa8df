//! What is asked for, and what a build says of itself: values, without a process, a database or a page.

pub mod event;
pub mod finding;
pub(crate) mod lockfile;
mod plan;
pub mod request;
mod status;
mod typed;

pub use lockfile::Package;
pub use plan::PlannedStep;
pub(crate) use plan::quote;
pub use request::{Choices, Request};
pub use status::{Origin, Status};
