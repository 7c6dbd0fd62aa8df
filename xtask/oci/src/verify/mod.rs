//! Checks an image in a registry: whether it is whole, what it was to be, and what comes out when it is built again.
//!
//! Everything is fetched anew, since what this machine has kept says nothing of what others get.

mod documents;
mod rebuilt;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use image_spec::{ImageReport, Pins, Platform, VerifySpec};

use crate::atomic::TempPath;
use crate::container::numeric_user;
use crate::digest::Digest;
use crate::document::Document;
use crate::error::PathContext as _;
use crate::oci::annotation;
use crate::pull::{PulledImage, Sources};
use crate::registry::client::{Client, Connection};

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is so, or should be.
    pub what: String,
    /// Why it is not; none if it is.
    pub problem: Option<String>,
}

impl Check {
    /// What was found under the name of what was looked at, or what is wrong with it.
    fn of(name: impl Into<String>, result: Result<String>) -> Check {
        let name = name.into();
        match result {
            Ok(found) => Check { what: format!("{name}: {found}"), problem: None },
            Err(error) => Check { what: name, problem: Some(format!("{error:#}")) },
        }
    }
}

/// An image for one platform, as its registry gives it.
struct Found {
    platform: Platform,
    image: PulledImage,
}

impl Found {
    /// The commit that the image says it is of.
    fn revision(&self) -> Option<&str> {
        self.image.config.config.get("Labels")?.get(annotation::REVISION)?.as_str()
    }
}

/// Looks at the image of `spec`, and compares it with what was `rebuilt`. Uses `folder` meanwhile.
///
/// # Errors
/// There is no such image, the registry cannot be reached or refuses, or `folder` cannot be written. What is wrong with
/// the image is a [`Check`].
pub fn verify(spec: &VerifySpec, rebuilt: Option<&ImageReport>, folder: &Path) -> Result<Vec<Check>> {
    let connection = Connection::new(&spec.registries.without_mirrors());
    let client = connection.to_pull(spec.image.repository());
    let wanted = spec.image.digest_or_tag();
    let root =
        client.manifest(&wanted)?.with_context(|| format!("{} is not there", client.named(&wanted)))?;

    let temp = TempPath::beside(&folder.join("verify"))?;
    fs::create_dir(temp.path()).cannot("create the folder", temp.path())?;
    let sources =
        Sources::new(&connection, &temp.path().join("blobs"), &temp.path().join("cache"), Pins::default());
    let reference = spec.image.with_digest(&root.digest.to_string())?;
    let (mut found, mut checks) = (Vec::new(), Vec::new());
    let platforms = Document::parse(&root.bytes).and_then(|root| root.check_platforms(&spec.platforms));
    checks.push(Check::of("platforms", platforms));
    for &platform in &spec.platforms {
        let pulled = sources.pull(&reference, platform);
        let whole = pulled.and_then(|image| sources.view(&image).map(|_| image));
        let result = whole.map(|image| {
            let text = blobs(&image);
            found.push(Found { platform, image });
            text
        });
        checks.push(Check::of(format!("digests for {platform}"), result));
    }
    for found in &found {
        checks.push(Check::of(format!("user on {}", found.platform), user(found, &spec.user)));
        checks.extend(sboms(&client, found, temp.path()));
    }
    checks.push(Check::of("provenance", provenance(&client, root.digest, &found, temp.path())));
    checks.extend(
        rebuilt.map(|rebuilt| Check::of("built again", rebuilt::compare(root.digest, &found, rebuilt))),
    );
    Ok(checks)
}

fn blobs(image: &PulledImage) -> String {
    let bytes = image.layers.iter().map(|layer| layer.size).sum::<u64>();
    let count = image.layers.len();
    let megabytes = bytes as f64 / 1e6;
    format!("manifest, config and {count} layers of {megabytes:.1} MB are what they should be")
}

/// Whom a container runs as, if that is who it should be.
fn user(found: &Found, wanted: &str) -> Result<String> {
    let user = found.image.config.config.get("User").and_then(|user| user.as_str()).unwrap_or_default();
    ensure!(!user.is_empty(), "none is named, so that it runs as root");
    let (uid, _) = numeric_user(user)?;
    ensure!(user == wanted, "it runs as {user}, and should run as {wanted}");
    Ok(if uid == 0 { format!("{user}, which is root, as configured") } else { user.to_owned() })
}

fn sboms(client: &Client, found: &Found, folder: &Path) -> Vec<Check> {
    let listed = client.referrers(found.image.manifest);
    let listed = listed.map_err(|error| format!("{error:#}"));
    let kinds = [documents::SPDX, documents::CYCLONEDX];
    let check = |kind: documents::Kind| {
        let result = listed.clone().map_err(|error| anyhow!(error)).and_then(|listed| {
            let packages = documents::packages(client, &listed, kind, folder)?;
            Ok(format!("{packages} packages"))
        });
        Check::of(format!("SBOM for {} in {}", found.platform, kind.name), result)
    };
    kinds.map(check).into()
}

/// The commit that the provenance names, if it is about this image and the image says the same.
fn provenance(client: &Client, root: Digest, found: &[Found], folder: &Path) -> Result<String> {
    let listed = client.referrers(root)?;
    let commit = documents::commit(client, &listed, root, folder)?;
    if let Some(other) = found.iter().filter_map(Found::revision).find(|revision| *revision != commit) {
        return Err(anyhow!("it names the commit {commit}, the image itself {other}"));
    }
    Ok(format!("commit {commit}"))
}
