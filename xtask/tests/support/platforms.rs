//! What tests need that build for both platforms.

use std::path::Path;
use std::process::Command;

use crate::support::has;

/// What this machine lacks to compile for both platforms.
pub(crate) fn lacks() -> Option<String> {
    if !has("cargo-zigbuild") {
        return Some("cargo-zigbuild is not installed".to_owned());
    }
    let lacks = |target: &&str| {
        let output = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
        !output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
    };
    let target = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"].into_iter().find(lacks)?;
    Some(format!("the target {target} is not installed"))
}
