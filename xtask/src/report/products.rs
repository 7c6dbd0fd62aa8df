//! What a plan made, read back from where it says.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use image_spec::ImageReport;

use super::event::{Event, ImageFinished};
use crate::plan::Product;

/// Describes a product of a plan that succeeded.
pub(super) fn finished(product: &Product) -> Result<Event<'_>> {
    match product {
        Product::Artifact { path } => artifact(path),
        Product::Definition { text } => Ok(Event::Definition { text }),
        Product::Service { urls, end } => Ok(Event::Service { urls, end }),
        Product::Image { tags, metadata, path, loaded_into, run } => {
            let json = fs::read(metadata).with_context(|| format!("cannot read {}", metadata.display()))?;
            let image: ImageReport = serde_json::from_slice(&json)
                .with_context(|| format!("{} is not the engine's report", metadata.display()))?;
            Ok(Event::Image(ImageFinished {
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

fn artifact(path: &Path) -> Result<Event<'static>> {
    let missing = || format!("cannot read {}", path.display());
    let size = fs::metadata(path).with_context(missing)?.len();
    let line = fs::read_to_string(format!("{}.sha256", path.display())).with_context(missing)?;
    let sha256 = line.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Event::Artifact { path: path.display().to_string(), size, sha256 })
}
