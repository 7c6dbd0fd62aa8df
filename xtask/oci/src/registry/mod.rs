//! Registries: pulling and pushing by the
//! [distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
//!
//! A [`client::Client`] speaks to one repository. Below it, [`location`] knows where that is, [`transport`] speaks HTTP,
//! `auth` answers a [`challenge`] with a token for the [`credentials`] of this machine, and [`retry`] tries again what may
//! pass. Above it, [`upload`] and [`download`] move blobs, and [`push`] whole images; [`check`] finds out what a registry
//! can do.
//!
//! oci-client is not used: its uploads can neither be resumed nor retried, its tokens are for one repository, where a
//! mount needs two, and everybody's first image would wait for reqwest, hyper and tokio to compile.

mod auth;
pub mod challenge;
pub mod check;
pub mod client;
pub mod credentials;
pub mod download;
pub mod location;
pub mod push;
pub mod referrers;
pub mod retry;
mod route;
mod source;
pub mod transport;
pub mod upload;
