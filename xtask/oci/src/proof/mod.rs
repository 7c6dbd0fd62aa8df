//! What a binary and an image can prove of themselves: which packages they were compiled from, from which source, by
//! what.
//!
//! [`metadata`] reads the packages of a build from cargo, [`audit`] reads them back from the binary, and [`debug`] puts
//! them into it and splits its debug information off. [`sbom`] writes them down for scanners, and
//! [`provenance`] tells how they were built. [`referrer`] makes of such documents what a registry keeps beside the image;
//! [`attach`](crate::attach) gathers them for a push.

pub mod audit;
pub mod debug;
mod features;
pub mod metadata;
pub mod provenance;
pub mod referrer;
pub mod sbom;
