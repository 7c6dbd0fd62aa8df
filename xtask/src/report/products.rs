//! What a plan made, read back from where it says.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use image_spec::ImageReport;
use serde::de::DeserializeOwned;

use super::event::{Event, ImageFinished};
use crate::plan::{Product, Topic};

/// Describes a product of a plan that succeeded.
pub(super) fn finished(product: &Product) -> Result<Event<'_>> {
    match product {
        Product::Artifact { path } => artifact(path),
        Product::Definition { text } => Ok(Event::Definition { text }),
        Product::Service { urls, end } => Ok(Event::Service { urls, end }),
        Product::Finding { topic: Topic::Release, file } => Ok(Event::Release(read(file)?)),
        Product::Finding { topic: Topic::Registry, file } => Ok(Event::Registry(read(file)?)),
        Product::Image { backend, tags, metadata, path, loaded_into, run } => {
            let image: ImageReport = read(metadata)?;
            Ok(Event::Image(ImageFinished {
                backend: backend.clone(),
                tags: tags.iter().map(ToString::to_string).collect(),
                digest: image.digest,
                platforms: image.platforms,
                path: path.as_ref().map(|path| path.display().to_string()),
                push: image.push,
                loaded_into: loaded_into.clone(),
                run: run.clone(),
            }))
        }
    }
}

/// Whether a product is something that was found out, and it was.
pub(super) fn is_found(product: &Product) -> bool {
    matches!(product, Product::Finding { file, .. } if file.exists())
}

/// Removes what an earlier run has found out. Where that fails, nothing can be written there either, which is told then.
pub(super) fn forget(product: &Product) {
    if let Product::Finding { file, .. } = product {
        let _ = fs::remove_file(file);
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let json = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&json).with_context(|| format!("{} is not a report", file.display()))
}

fn artifact(path: &Path) -> Result<Event<'static>> {
    let missing = || format!("cannot read {}", path.display());
    let size = fs::metadata(path).with_context(missing)?.len();
    let line = fs::read_to_string(format!("{}.sha256", path.display())).with_context(missing)?;
    let sha256 = line.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Event::Artifact { path: path.display().to_string(), size, sha256 })
}
