//! Symbolic links of this machine, and whether they mean the same in an image.

use std::fs;
use std::path::{Component, Path};

use anyhow::{Context as _, Result};

use crate::error::PathContext as _;

/// The target of a link, if it cannot lead out of the source folder: then it means the same in the image.
pub(crate) fn link_target(root: &Path, link: &Path) -> Result<String> {
    let target = fs::read_link(link).cannot("read the link", link)?;
    let mut depth = link.strip_prefix(root).map_or(0, |below| below.components().count()).saturating_sub(1);
    for part in target.components() {
        let next = match part {
            Component::Normal(_) => Some(depth + 1),
            Component::CurDir => Some(depth),
            Component::ParentDir => depth.checked_sub(1),
            Component::RootDir | Component::Prefix(_) => None,
        };
        depth = next.with_context(|| {
            let (link, target) = (link.display(), target.display());
            format!("the link {link} leads to {target}, out of the folder that is copied; make it relative or copy the file")
        })?;
    }
    let text = target.to_str().map(str::to_owned);
    text.with_context(|| format!("the target of the link {} is not UTF-8; rename it", link.display()))
}
