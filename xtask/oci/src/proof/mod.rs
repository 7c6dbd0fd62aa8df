//! What a binary can prove of itself: which packages it was compiled from.
//!
//! [`metadata`] reads the packages of a build from cargo, and [`audit`] reads them back from the binary.

pub mod audit;
mod features;
pub mod metadata;
