//! `config/images.lock`, which says what image names stand for: see [`Pins`].

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result};
use image_spec::{Pins, Reference};

use super::resolve;
use crate::atomic;
use crate::error::PathContext as _;
use crate::registry::client::Connection;

/// Reads the file; one that is not there is empty.
///
/// # Errors
/// It cannot be read or is not right.
pub fn read(path: &Path) -> Result<Pins> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Pins::default()),
        result => result.cannot("read", path)?.parse().with_context(|| path.display().to_string()),
    }
}

/// Looks up those of `references` that have no line, or with `renew` all of them, and writes the file if something is new.
/// Lines of others are left alone. Returns what the file says now, and what has changed, for people.
///
/// # Errors
/// A registry does not know a name or cannot be reached, or the file cannot be read or written.
pub fn pin(
    path: &Path,
    references: &[Reference],
    renew: bool,
    connection: &Connection,
) -> Result<(Pins, Vec<String>)> {
    // Two runs at once would each forget what the other found.
    let folder = atomic::folder_of(path);
    let guard = File::open(folder).cannot("open", folder)?;
    guard.lock().cannot("lock", folder)?;
    let mut pins = read(path)?;
    let mut changes = Vec::new();
    for reference in references.iter().filter(|reference| reference.digest().is_none()) {
        if pins.pinned(reference).is_some() && !renew {
            continue;
        }
        let digest = resolve(reference, connection)?.to_string();
        if pins.insert(reference, &digest) {
            changes.push(format!("{reference} is {digest}"));
        }
    }
    if !changes.is_empty() {
        atomic::write(path, pins.to_string().as_bytes())?;
    }
    Ok((pins, changes))
}
