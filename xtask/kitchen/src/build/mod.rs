//! What is asked for, and what a build says of itself: values, without a process, a database or a page.

pub mod event;
mod plan;
pub mod request;
mod status;

pub use plan::PlannedStep;
pub use request::{Choices, Request};
pub use status::{Origin, Status};
