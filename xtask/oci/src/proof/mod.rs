//! What a binary can prove of itself: which packages it was compiled from.
//!
//! [`metadata`] reads the packages of a build from cargo, [`audit`] reads them back from the binary, and [`debug`] puts
//! them into it and splits its debug information off.

pub mod audit;
pub mod debug;
mod features;
pub mod metadata;
