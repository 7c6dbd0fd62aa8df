//! What is asked for, and what a build says of itself: values, without a process, a database or a page.

pub mod event;
pub(crate) mod lockfile;
mod plan;
pub mod request;
mod status;

pub use lockfile::Package;
pub use plan::PlannedStep;
pub use request::{Choices, Request};
pub use status::{Origin, Status};
