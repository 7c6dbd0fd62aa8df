//! skopeo copies what our engine pushed, and our engine builds upon the copies.

use image_spec::{Base, FileEntry, Platform, Registries, VerifySpec};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use xtask_oci::verify;

use super::common::tool::{run, succeeds, trial};
use super::listing::{Listing, shown};
use super::sample::{PLATFORMS, Pushed, layer};

/// skopeo asks for TLS on this machine too.
const INSECURE: [&str; 2] = ["--src-tls-verify=false", "--dest-tls-verify=false"];

pub fn trials() -> Vec<Trial> {
    let skopeo = succeeds("skopeo", &["--version"]);
    let test = |name: &str, kind: &'static str, test: fn(Pushed) -> Result<(), Failed>| {
        trial(format!("skopeo copies {kind} {name}"), skopeo, "skopeo", move || test(Pushed::of(kind)?))
    };
    vec![
        test("with all platforms", "zstd:3", copy_all),
        test("with all platforms", "mixed", copy_all),
        test("into a docker-archive", "zstd:3", copy_into_archive),
        // zstd, which it finds in the registry again, it could not name in Docker's manifest.
        test("by a docker-archive", "gzip:6", copy_by_archive),
        test("for our engine to build upon", "zstd:3", build_upon_copy),
        test("with its proofs", "zstd:3", copy_proofs),
    ]
}

fn copy(pushed: &Pushed, how: &[&str], from: &str, to: &str) -> Result<(), Failed> {
    run(&pushed.sandbox, &[&["skopeo", "copy", "--quiet"], &INSECURE[..], how, &[from, to]].concat())?;
    Ok(())
}

fn remote(name: &str) -> String {
    format!("docker://{name}")
}

/// From registry to registry, and by way of folders in between: always the same image.
fn copy_all(pushed: Pushed) -> Result<(), Failed> {
    let (all, digest) = (["--all", "--preserve-digests"], &pushed.report.digest);
    let tag = pushed.name.rsplit(':').next().unwrap_or_default().to_owned();
    copy(&pushed, &all, &remote(&pushed.name), &remote(&pushed.other("copy:1")))?;
    assert_eq!(pushed.digest_of("copy", "1").as_ref(), Some(digest));
    for folder in [format!("oci:copied:{tag}"), "dir:files".to_owned()] {
        let name = folder.split(':').next().unwrap_or_default();
        copy(&pushed, &all, &remote(&pushed.name), &folder)?;
        copy(&pushed, &all, &folder, &remote(&pushed.other(&format!("{name}:1"))))?;
        assert_eq!(pushed.digest_of(name, "1").as_ref(), Some(digest), "{folder}");
    }
    Ok(())
}

/// An archive for `docker load`, whose layers are plain tars.
fn copy_into_archive(pushed: Pushed) -> Result<(), Failed> {
    PLATFORMS.iter().try_for_each(|platform| archive(&pushed, *platform).map(drop))
}

fn archive(pushed: &Pushed, platform: Platform) -> Result<String, Failed> {
    let architecture = platform.architecture();
    let archive = format!("docker-archive:{architecture}.tar:team/app:1");
    let only = ["--override-os=linux", "--override-arch", architecture];
    // Old versions cannot decompress zstd and write an archive in one go.
    let plain = format!("dir:plain-{architecture}");
    copy(pushed, &[&only[..], &["--dest-decompress"]].concat(), &remote(&pushed.name), &plain)?;
    copy(pushed, &only, &plain, &archive)?;
    let config = |image: &str| inspect(pushed, platform, "--config", image);
    let (theirs, ours) = (config(&archive)?, config(&remote(&pushed.name))?);
    assert_eq!(theirs["rootfs"]["diff_ids"], ours["rootfs"]["diff_ids"]);
    assert_eq!(theirs["config"], ours["config"]);
    Ok(archive)
}

fn inspect(pushed: &Pushed, platform: Platform, what: &str, image: &str) -> Result<Value, Failed> {
    let skopeo = ["skopeo", "--override-os=linux", "--override-arch", platform.architecture()];
    let inspect = ["inspect", "--tls-verify=false", what, image];
    Ok(serde_json::from_str(&run(&pushed.sandbox, &[&skopeo[..], &inspect].concat())?)?)
}

/// From the archive to a registry it has the manifest that Docker had before the OCI.
fn copy_by_archive(pushed: Pushed) -> Result<(), Failed> {
    for platform in PLATFORMS {
        let name = pushed.other(&format!("{}:1", platform.architecture()));
        let how = ["--override-os=linux", "--override-arch", platform.architecture(), "--format=v2s2"];
        copy(&pushed, &how, &archive(&pushed, platform)?, &remote(&name))?;
        let manifest = inspect(&pushed, platform, "--raw", &remote(&name))?;
        assert_eq!(manifest["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
        pushed.check(&Listing::of_image(&name, platform)?, platform)?;
    }
    Ok(())
}

fn build_upon_copy(pushed: Pushed) -> Result<(), Failed> {
    let layout = "oci:copied:1";
    copy(&pushed, &["--all"], &remote(&pushed.name), layout)?;
    let (base, name) = (pushed.other("base:1"), pushed.other("upon:1"));
    copy(&pushed, &["--all"], layout, &remote(&base))?;
    let (from, src) = (Some(base.parse()?), "/srv/data".into());
    let files =
        FileEntry { from, src, dest: "/copy".to_owned(), mode: None, owner: Some("1000:1001".to_owned()) };
    let platforms = PLATFORMS.map(|platform| (platform, vec![layer("copy", vec![files.clone()])]));
    let spec = pushed.spec(&name, Base::Image(base.parse()?), "zstd:3", platforms.into())?;
    let report = pushed.push(&spec)?;
    assert_eq!(pushed.digest_of("upon", "1"), Some(report.digest));
    for (ours, base) in report.platforms.iter().zip(&pushed.report.platforms) {
        let digests = base.layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>();
        let found = ours.layers.iter().map(|layer| &layer.digest).take(digests.len());
        assert_eq!(found.collect::<Vec<_>>(), digests);
        let seen = Listing::of_image(&name, ours.platform)?;
        assert_eq!(seen.lacks(&pushed.expected[&ours.platform]), [""; 0]);
        assert_eq!(seen.lacks(&seen.copied("/srv/data/", "/copy/")), [""; 0]);
    }
    Ok(())
}

/// In a registry that lists no referrers they are under a tag of their own.
fn copy_proofs(pushed: Pushed) -> Result<(), Failed> {
    let repository = pushed.name.trim_end_matches(":1");
    for tag in ["1".to_owned(), pushed.report.digest.replace(':', "-")] {
        let copied = pushed.other(&format!("copy:{tag}"));
        copy(&pushed, &["--all"], &remote(&format!("{repository}:{tag}")), &remote(&copied))?;
    }
    let user = "65532:65532".to_owned();
    let (image, registries) = (pushed.other("copy:1").parse()?, Registries::default());
    let spec = VerifySpec { image, platforms: PLATFORMS.into(), user, registries };
    let checks = verify::verify(&spec, None, &pushed.sandbox.path("verify")).map_err(shown)?;
    // The program does not say what it was compiled from.
    let wrong = checks.iter().filter(|check| check.problem.is_some() && !check.what.starts_with("SBOM"));
    assert_eq!(wrong.map(|check| format!("{check:?}")).collect::<Vec<_>>(), [""; 0]);
    assert!(checks.iter().any(|check| check.what.starts_with("provenance: commit 0123")), "{checks:?}");
    Ok(())
}
