//! What is done with arbitrary bytes, and what has to hold then. Each check goes the way of the product and goes on to
//! say more than that nothing panics.

#![allow(unreachable_pub, reason = "also a module of an ordinary test")]

pub mod config;
pub mod elf;
pub mod layer;
pub mod manifest;
pub mod reference;
pub mod tree;
