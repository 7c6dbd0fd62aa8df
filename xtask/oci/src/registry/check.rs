//! What a registry can do: found out by pushing something small and throwing it away.

use anyhow::{Context as _, Result};
use image_spec::{Compression, CredentialKind, FeatureReport, RegistryReport, Repository};
use serde_json::json;
use ureq::http::Method;

use super::client::{Call, Client, Connection};
use super::credentials::Credentials;
use super::upload::Started;
use crate::compress::LayerWriter;
use crate::digest::Digest;
use crate::image::Blob;
use crate::oci;

/// Finds out who we are to the registry of `repository`, and what it can do. Where nothing can be pushed, it is still known
/// by which credentials.
pub fn report(repository: &Repository, connection: &Connection) -> RegistryReport {
    let registry = repository.registry();
    let mut report = RegistryReport {
        repository: repository.clone(),
        registry: registry.to_owned(),
        credentials: CredentialKind::None,
        account: None,
        found_in: None,
        problem: None,
        features: vec![],
    };
    let tried = Credentials::locate(registry, &repository.path()).and_then(|found| {
        let (kind, account) = found.credentials.account();
        (report.credentials, report.account) = (kind, account.map(str::to_owned));
        report.found_in = found.place;
        check(repository, connection)
    });
    match tried {
        Ok(features) => report.features = features,
        Err(error) => report.problem = Some(format!("{error:#}")),
    }
    report
}

/// Tries what images made here may need of the registry of `repository`. What is pushed is removed again, where the
/// registry lets us.
///
/// # Errors
/// Not even a blob can be pushed: the registry cannot be reached, or we may not push.
fn check(repository: &Repository, connection: &Connection) -> Result<Vec<FeatureReport>> {
    let client = connection.to_push(repository, &[]);
    let trial = Trial::push_blobs(&client)?;
    let zstd = trial.put(&client, &trial.manifest(&trial.zstd, None));
    let gzip = trial.put(&client, &trial.manifest(&trial.gzip, None));
    let image = if zstd.is_ok() { &trial.zstd } else { &trial.gzip };
    let manifest = trial.manifest(image, None);
    let index = zstd
        .as_ref()
        .or(gzip.as_ref())
        .map_err(ToOwned::to_owned)
        .and_then(|()| trial.put(&client, &trial.index(&manifest)));
    let referrer = trial.manifest(image, Some(&manifest));
    let referrers =
        trial.put(&client, &referrer).and_then(|()| client.lists_referrer(manifest.digest, referrer.digest));
    let mounts = mounts(repository, connection, &trial.zstd);
    for manifest in [
        &trial.index(&manifest),
        &referrer,
        &trial.manifest(&trial.zstd, None),
        &trial.manifest(&trial.gzip, None),
    ] {
        client.remove(manifest.digest);
    }
    let finding = |feature: &str, result: Result<(), String>, advice: &str| FeatureReport {
        feature: feature.to_owned(),
        refusal: result.err(),
        advice: advice.to_owned(),
    };
    Ok(vec![
        finding(
            "zstd layers",
            zstd,
            "set compression = \"gzip\" in config/pipeline.toml, or [push] fallback = \"gzip\"",
        ),
        finding("gzip layers", gzip, "this is no registry for OCI images; use another"),
        finding("indexes for several platforms", index, "push one platform at a time with --platform"),
        finding(
            "referrers",
            referrers,
            "SBOM and provenance go under the tag sha256-… instead, which most tools find",
        ),
        finding(
            "mounting from other repositories",
            mounts,
            "blobs of the base are uploaded once for each repository",
        ),
    ])
}

/// Small blobs that images are made of.
struct Trial {
    config: Blob,
    zstd: Blob,
    gzip: Blob,
}

impl Trial {
    fn push_blobs(client: &Client) -> Result<Trial> {
        // The time makes it new, so that nothing is there from the last check.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let content = format!("registry check {}", now.as_nanos());
        let config = json!({
            "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [Digest::of(content.as_bytes())]},
            "config": {"Labels": {"check": content}},
        });
        let trial = Trial {
            config: Blob::document(oci::CONFIG, config.to_string().into_bytes()),
            zstd: layer(&content, Compression::default())?,
            gzip: layer(&content, Compression::Gzip(6))?,
        };
        for blob in [&trial.config, &trial.zstd, &trial.gzip] {
            client.upload(blob)?;
        }
        Ok(trial)
    }

    fn manifest(&self, layer: &Blob, subject: Option<&Blob>) -> Blob {
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": oci::MANIFEST,
            "config": self.config.descriptor(), "layers": [layer.descriptor()],
        });
        if let Some(subject) = subject {
            manifest["subject"] = json!(subject.descriptor());
            manifest["artifactType"] = json!("application/vnd.example.check");
        }
        Blob::document(oci::MANIFEST, manifest.to_string().into_bytes())
    }

    fn index(&self, manifest: &Blob) -> Blob {
        let index =
            json!({"schemaVersion": 2, "mediaType": oci::INDEX, "manifests": [manifest.descriptor()]});
        Blob::document(oci::INDEX, index.to_string().into_bytes())
    }

    fn put(&self, client: &Client, manifest: &Blob) -> Result<(), String> {
        client
            .put_manifest(manifest, &manifest.digest.to_string())
            .map(drop)
            .map_err(|error| format!("{error:#}"))
    }
}

/// Whether a blob of `repository` can be mounted into a neighbour.
fn mounts(repository: &Repository, connection: &Connection, layer: &Blob) -> Result<(), String> {
    let neighbour = format!("{repository}-check").parse::<Repository>().map_err(|error| error.to_string())?;
    let client = connection.to_push(&neighbour, std::slice::from_ref(repository));
    match client.mount(layer) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it wants the blob uploaded".to_owned()),
        Err(error) => Err(format!("{error:#}")),
    }
}

impl Client {
    /// Sees whether blobs may be uploaded, by an upload that is begun and called off.
    ///
    /// # Errors
    /// The registry cannot be reached or refuses.
    pub fn check_access(&self) -> Result<()> {
        let session =
            self.policy.run(|| self.start("")).with_context(|| format!("cannot push to {}", self.name()))?;
        if let Started::Session(session) = session {
            // A registry forgets what nobody goes on with.
            let _ = self.send(&Call::new(Method::DELETE, &session));
        }
        Ok(())
    }

    /// Whether the registry's own list of referrers to `subject` has `referrer`.
    fn lists_referrer(&self, subject: Digest, referrer: Digest) -> Result<(), String> {
        let listed = self.listed_referrers(subject).map_err(|error| format!("{error:#}"))?;
        if listed.iter().any(|one| one.digest == referrer) {
            Ok(())
        } else {
            Err("its list does not have them".to_owned())
        }
    }

    /// Removes a manifest, if the registry lets us: it collects what nobody refers to.
    fn remove(&self, digest: Digest) {
        let url = self.location.url(&format!("manifests/{digest}"));
        let _ = self.send(&Call::new(Method::DELETE, &url));
    }
}

fn layer(content: &str, compression: Compression) -> Result<Blob> {
    let mut writer = LayerWriter::new(Vec::new(), compression, None)?;
    std::io::Write::write_all(&mut writer, content.as_bytes())?;
    let made = writer.finish().context("cannot compress")?;
    Ok(Blob::document(compression.layer_media_type(), made.inner))
}
