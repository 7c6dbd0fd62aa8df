//! Takes over an image that BuildKit has built: from the layout that it wrote, or in the registry that it pushed to.
//!
//! [`layout`] writes the image where it is wanted, in the forms that our own images have; [`pushed`] puts SBOM and
//! provenance beside it. Both read its documents by way of [`found`] and report what they found there. Nothing is
//! believed before its digest and size are checked.

mod found;
mod layout;
mod pushed;
#[cfg(test)] // template: if pipeline_tests
mod tests; // template: if pipeline_tests

pub use layout::layout;
pub use pushed::pushed;
