//! What `verify` says of images in a registry, good ones and bad ones.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use image_spec::{ImageReport, ImageSpec, Output, Platform, Registries, VerifySpec};
use libtest_mimic::{Failed, Trial};
use xtask_oci::make;
use xtask_oci::verify::{Check, verify};

use super::common::{Sandbox, audited_program};
use super::fault::{Fault, Rule};
use super::proxy::Proxy;
use super::server::Registry;
use super::{check, engine};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("verify finds nothing wrong with a good image", a_good_image),
        Trial::test("verify names what an image lacks", what_is_missing),
        Trial::test("verify compares with what is built again", built_again),
        Trial::test("verify finds damage in the registry", damage),
        Trial::test("SBOMs are sent when packages have changed", an_edit_sends_no_sbom),
    ]
}

/// An image of a commit for two platforms, which goes to `registry` with its proofs.
fn image(sandbox: &Sandbox, registry: SocketAddr) -> ImageSpec {
    let mut spec = engine::spec(sandbox, &[format!("{registry}/team/app:1")]);
    let layers = spec.platforms.remove(&Platform::LinuxAmd64).unwrap();
    for platform in Platform::ALL {
        let src = sandbox.file(&format!("app-{}", platform.slug()), &audited_program(platform));
        let mut layers = layers.clone();
        layers[1].files[0].src = src;
        spec.platforms.insert(platform, layers);
    }
    let labels = [("source", "https://example.com/team/app"), ("revision", COMMIT)];
    let labels = labels.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value.to_owned()));
    spec.labels.extend(labels);
    spec.outputs = vec![Output::Registry { immutable: vec![], dry_run: false, proofs: true, fallback: None }];
    spec
}

fn asked(spec: &ImageSpec) -> VerifySpec {
    VerifySpec {
        image: spec.tags[0].clone(),
        platforms: spec.platforms.keys().copied().collect(),
        user: spec.config.user.clone(),
        registries: Registries {
            mirrors: BTreeMap::from([("127.0.0.1".into(), "nowhere.example".into())]),
            insecure: vec![],
        },
    }
}

fn make(sandbox: &Sandbox, spec: &ImageSpec) -> Result<ImageReport, Failed> {
    Ok(make::image(spec, &sandbox.places())?)
}

/// What is wrong, in one line each.
fn problems(checks: &[Check]) -> Vec<String> {
    let line = |check: &Check| Some(format!("{}: {}", check.what, check.problem.as_ref()?));
    checks.iter().filter_map(line).collect()
}

fn a_good_image() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let spec = image(&sandbox, registry.address);
    let report = make(&sandbox, &spec)?;
    let checks = verify(&asked(&spec), Some(&report), &sandbox.path("verify"))?;
    assert_eq!(problems(&checks), [""; 0]);
    let found = checks.iter().map(|check| check.what.as_str()).collect::<Vec<_>>();
    assert_eq!(found[0], "platforms: linux/amd64, linux/arm64");
    assert!(found.contains(&"user on linux/arm64: 65532:65532"), "{found:?}");
    assert!(found.contains(&"SBOM for linux/amd64 in CycloneDX: 1 packages"), "{found:?}");
    assert!(found.contains(&"SBOM for linux/arm64 in SPDX: 1 packages"), "{found:?}");
    assert!(found.contains(&format!("provenance: commit {COMMIT}").as_str()), "{found:?}");
    assert_eq!(found.last().unwrap(), &format!("built again: {}, to the byte", report.digest));
    assert_eq!(sandbox.names("verify"), [""; 0], "nothing is left");
    Ok(())
}

fn an_edit_sends_no_sbom() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let proxy = Proxy::new(registry.address, []);
    let mut spec = image(&sandbox, proxy.address);
    make(&sandbox, &spec)?;
    for platform in Platform::ALL {
        let edited = [audited_program(platform), b"another line".to_vec()].concat();
        sandbox.file(&format!("app-{}", platform.slug()), &edited);
    }
    spec.created += 1;
    spec.tags = vec![format!("{}/team/app:2", proxy.address).parse()?];
    proxy.heal();
    make(&sandbox, &spec)?;
    // For each platform the program and the config, for both the files of the new commit and the provenance.
    assert_eq!(proxy.count("PUT", "/blobs/"), 6);
    assert_eq!(problems(&verify(&asked(&spec), None, &sandbox.path("verify"))?), [""; 0]);
    Ok(())
}

fn what_is_missing() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let mut spec = image(&sandbox, registry.address);
    spec.platforms.remove(&Platform::LinuxArm64);
    spec.outputs = vec![engine::PUSH];
    spec.config.user = "0:0".to_owned();
    make(&sandbox, &spec)?;
    let asked =
        VerifySpec { user: "65532:65532".to_owned(), platforms: Platform::ALL.to_vec(), ..asked(&spec) };
    let none = "there is none beside the image; set [push] proofs = true in config/pipeline.toml, and push a commit \
                without changes";
    let found = problems(&verify(&asked, None, &sandbox.path("verify"))?);
    assert_eq!(
        found[0],
        "platforms: it is an image for one platform, and should be for linux/amd64 and linux/arm64"
    );
    assert!(
        found[1].starts_with("digests for linux/arm64: ") && found[1].contains("not for linux/arm64"),
        "{found:?}"
    );
    assert_eq!(found[2], "user on linux/amd64: it runs as 0:0, and should run as 65532:65532");
    assert_eq!(found[3], format!("SBOM for linux/amd64 in SPDX: {none}"));
    assert_eq!(found[4], format!("SBOM for linux/amd64 in CycloneDX: {none}"));
    assert_eq!(found[5..], [format!("provenance: {none}")]);

    let absent = VerifySpec { image: format!("{}/team/app:2", registry.address).parse()?, ..asked };
    let error = format!("{:#}", verify(&absent, None, &sandbox.path("verify")).unwrap_err());
    assert_eq!(error, format!("{}/team/app:2 is not there", registry.address));
    Ok(())
}

fn built_again() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let spec = image(&sandbox, registry.address);
    make(&sandbox, &spec)?;
    let again = |change: &dyn Fn(&mut ImageSpec)| {
        let mut spec = ImageSpec { outputs: vec![], ..spec.clone() };
        change(&mut spec);
        let report = make(&sandbox, &spec)?;
        let found = problems(&verify(&asked(&spec), Some(&report), &sandbox.path("verify"))?);
        assert_eq!(found.len(), 1, "{found:?}");
        Ok::<_, Failed>(found[0].clone())
    };
    let hint = format!(
        "the image is of {COMMIT}: build the same commit, with the compiler and the flags that it was built with"
    );
    let config = again(&|spec| spec.config.ports.clear())?;
    assert_eq!(
        config,
        format!("built again: its layers on linux/amd64 are the same, its config is another; {hint}")
    );
    let more = again(&|spec| drop(spec.platforms.get_mut(&Platform::LinuxArm64).unwrap().remove(0)))?;
    assert_eq!(more, format!("built again: it has 2 layers on linux/arm64, built again it has 1; {hint}"));
    sandbox.file("config/app.toml", b"port = 8081\n");
    let layer = again(&|_| {})?;
    assert!(layer.starts_with("built again: the layer `config` on linux/amd64 is sha256:"), "{layer}");
    assert!(layer.ends_with(&hint), "{layer}");
    Ok(())
}

fn damage() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let proxy = Proxy::new(registry.address, []);
    let spec = image(&sandbox, proxy.address);
    let report = make(&sandbox, &spec)?;
    assert!(check::tag(registry.address, "team/app", "1").is_some());
    let look = || verify(&asked(&spec), None, &sandbox.path("verify")).map(|checks| problems(&checks));
    assert_eq!(look()?, [""; 0]);
    let blob = format!("/blobs/{}", report.platforms[0].config_digest);
    proxy.add(Rule::new("GET", blob, Fault::FlipAnswer).always());
    let found = look()?;
    assert!(
        found[0].starts_with("digests for linux/amd64: the image ")
            && found[0].contains(": its digest is sha256:"),
        "{found:?}"
    );
    proxy.heal();
    assert_eq!(look()?, [""; 0], "what was damaged on the way is not kept");
    Ok(())
}
