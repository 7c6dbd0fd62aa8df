//! The native engine: turns an [`ImageSpec`](image_spec::ImageSpec) and finished binaries into OCI images, and pushes them,
//! with no daemon.
//!
//! One way through, which [`make`] goes: [`spec`] reads and checks what is asked for; [`base`] and [`files`] list what
//! each layer holds, which `collect` gathers and [`rootfs`] sums up; [`startable`] refuses what could not run; [`layer`]
//! turns each list into a blob by way of [`tar`], [`compress`] and [`cache`]; [`image`] adds config and manifest;
//! [`output`] writes the result where it is wanted.
//! [`pull`] fetches images that others made, [`unpack`] reads their layers, and [`registry`] speaks to registries.
//!
//! [`import`] takes over what BuildKit made instead.
//!
//! [`proof`] says what a binary and an image were made of, in the binary itself and in documents beside the image, which
//! [`attach`] gathers.
//!
//! The library prints nothing, and starts nothing but what works on binaries: [`upx`] the packer, [`proof::debug`] objcopy.

pub mod artifact;
pub mod atomic;
pub mod attach;
pub mod base;
pub mod base64;
mod beside;
pub mod cache;
mod collect;
pub mod compress;
pub mod container;
pub mod digest;
pub mod document;
pub mod elf;
pub mod error;
pub mod files;
pub mod image;
pub mod import;
pub mod layer;
mod link;
pub mod make;
pub mod oci;
pub mod output;
mod program;
pub mod proof;
pub mod pull;
pub mod registry;
pub mod rootfs;
pub mod spec;
pub mod startable;
pub mod tar;
pub mod unpack;
pub mod upx;
pub mod verify;
