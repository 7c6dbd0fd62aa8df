//! Whether the same image comes out when it is built again.

use anyhow::{Result, bail, ensure};
use image_spec::{ImageReport, PlatformReport};

use super::Found;
use crate::digest::Digest;

/// The digest of both, if there is one.
///
/// # Errors
/// They differ; says where.
pub(super) fn compare(root: Digest, found: &[Found], rebuilt: &ImageReport) -> Result<String> {
    for found in found {
        let Some(report) = rebuilt.platforms.iter().find(|report| report.platform == found.platform) else {
            bail!("{} was not built again", found.platform);
        };
        ensure!(found.image.manifest.to_string() == report.digest, difference(found, report));
    }
    ensure!(root.to_string() == rebuilt.digest, "the index is {root}, built again it is {}", rebuilt.digest);
    Ok(format!("{root}, to the byte"))
}

/// The first difference between the image of the registry and the one that was built again.
fn difference(found: &Found, rebuilt: &PlatformReport) -> String {
    let (platform, image) = (found.platform, &found.image);
    let revision = found.revision().unwrap_or("no commit");
    let hint = format!(
        "the image is of {revision}: build the same commit, with the compiler and the flags that it was built with"
    );
    if image.layers.len() != rebuilt.layers.len() {
        let (found, here) = (image.layers.len(), rebuilt.layers.len());
        return format!("it has {found} layers on {platform}, built again it has {here}; {hint}");
    }
    let layers = image.layers.iter().zip(&rebuilt.layers);
    let differing = layers.into_iter().find(|(found, here)| found.digest.to_string() != here.digest);
    match differing {
        Some((found, here)) => {
            let (name, here) = (&here.name, &here.digest);
            format!("the layer `{name}` on {platform} is {}, built again it is {here}; {hint}", found.digest)
        }
        None => format!("its layers on {platform} are the same, its config is another; {hint}"),
    }
}
