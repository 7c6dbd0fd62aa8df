//! What is asked for, and what a build says of itself: values, without a process, a database or a page.

pub mod event;
pub mod request;
mod status;

pub use request::{Choices, Request};
pub use status::{Origin, Status};
