//! Whole images by the engine's program: on bases of others, with documents beside them, for registries that take less.

use std::fs;

use image_spec::{Base, Compression, ImageSpec, Output, PushReport};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::common::Sandbox;
use super::engine::{self, Outcome};
use super::fault::{Fault, Rule};
use super::proxy::Proxy;
use super::sample::random;
use super::server::Registry;
use super::{check, http};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a base is pulled through faults and mounted", bases_are_pulled_and_mounted),
        Trial::test("proofs go along through faults", proofs_go_along),
        Trial::test("only what a registry cannot take is compressed otherwise", only_content_falls_back),
    ]
}

fn run(sandbox: &Sandbox, spec: &ImageSpec) -> Outcome {
    engine::run(engine::command(sandbox, spec), &sandbox.path("report.json"), Vec::new)
}

fn pushed(sandbox: &Sandbox, spec: &ImageSpec) -> PushReport {
    let outcome = run(sandbox, spec);
    assert!(outcome.ok, "{}", outcome.stderr);
    outcome.push.expect("it was pushed")
}

fn bases_are_pulled_and_mounted() -> Result<(), Failed> {
    let registry = Registry::start();
    let base = Sandbox::new();
    base.file("config/large.bin", &random(1, 3_000_000));
    let host = registry.address;
    let in_base = pushed(&base, &engine::spec(&base, &[format!("{host}/team/base:1")])).uploaded;

    let blob = |fault| Rule::new("GET", "/blobs/", fault);
    for rule in [
        blob(Fault::CutAnswer(1_000_000)).after(1),
        blob(Fault::FlipAnswer).times(2),
        blob(Fault::Truncate(10)),
        blob(Fault::Answer("503 Service Unavailable", vec![])).times(2),
        Rule::new("GET", "/manifests/1", Fault::CutAnswer(50)).times(2),
    ] {
        let proxy = Proxy::new(host, [rule]);
        let sandbox = Sandbox::new();
        sandbox.file("config/app.toml", &random(u64::from(proxy.address.port()), 5_000));
        let name = format!("team/app-{}", proxy.address.port());
        let mut spec = engine::spec(&sandbox, &[format!("{}/{name}:1", proxy.address)]);
        spec.base = Base::Image(format!("{}/team/base:1", proxy.address).parse()?);
        let report = pushed(&sandbox, &spec);
        assert!(report.mounted > 3_000_000 && report.mounted < in_base, "{report:?}");
        assert_eq!(proxy.received("PUT", "/blobs/"), report.uploaded);
        assert!(check::tag(host, &name, "1").is_some());
        let asked = proxy.count("GET", "/blobs/");
        assert_eq!(pushed(&sandbox, &spec).uploaded, 0);
        assert_eq!(proxy.count("GET", "/blobs/"), asked, "blobs of the base are kept");
    }
    let proxy = Proxy::new(host, [blob(Fault::FlipAnswer).always()]);
    let sandbox = Sandbox::new();
    let mut spec = engine::spec(&sandbox, &[format!("{}/team/app:1", proxy.address)]);
    spec.base = Base::Image(format!("{}/team/base:1", proxy.address).parse()?);
    let outcome = run(&sandbox, &spec);
    let start = format!("error: the image {}/team/base:1: cannot download sha256:", proxy.address);
    assert!(outcome.stderr.starts_with(&start), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(": tried 7 times: its digest is sha256:"), "{}", outcome.stderr);
    assert_eq!(check::tag(host, "team/app", "1"), None);
    Ok(())
}

/// The documents that refer to an image, by the tag under which this registry has their index.
fn proofs(registry: &Registry, digest: &str) -> Vec<String> {
    let tag = digest.replace(':', "-");
    check::tag(registry.address, "team/app", &tag).expect("there are documents");
    let (_, index) =
        http::ask(registry.address, "GET", &format!("/v2/team/app/manifests/{tag}"), b"").unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let types =
        index["manifests"].as_array().unwrap().iter().map(|one| one["artifactType"].as_str().unwrap());
    types.map(str::to_owned).collect()
}

fn proofs_go_along() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let proxy = Proxy::new(registry.address, []);
    let mut spec = engine::spec(&sandbox, &[format!("{}/team/app:1", proxy.address)]);
    let labels = [
        ("source", "https://example.com/team/app"),
        ("revision", "0123456789abcdef0123456789abcdef01234567"),
    ];
    let labels = labels.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value.to_owned()));
    spec.labels.extend(labels);
    spec.outputs = vec![Output::Registry { immutable: vec![], dry_run: false, proofs: true, fallback: None }];
    for (seed, rule) in [
        Rule::new("PUT", "/manifests/sha256:", Fault::LoseAnswer).after(1),
        Rule::new("PUT", "/manifests/sha256-", Fault::LoseAnswer),
        Rule::new("PUT", "/manifests/sha256-", Fault::CutRequest(20)).times(2),
        Rule::new("GET", "/manifests/sha256-", Fault::FlipAnswer),
        Rule::new("PUT", "/blobs/", Fault::LoseAnswer).times(3),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.file("config/app.toml", &random(seed as u64, 1000));
        proxy.heal();
        proxy.add(rule);
        pushed(&sandbox, &spec);
        let digest = check::tag(registry.address, "team/app", "1").expect("it was pushed");
        let first = proofs(&registry, &digest);
        assert!(!first.is_empty());
        proxy.heal();
        assert_eq!(pushed(&sandbox, &spec).uploaded, 0);
        assert_eq!((proxy.received("PUT", "/blobs/"), proofs(&registry, &digest)), (0, first));
    }
    Ok(())
}

fn only_content_falls_back() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let proxy = Proxy::new(registry.address, []);
    let mut spec = engine::spec(&sandbox, &[format!("{}/team/app:1", proxy.address)]);
    let gzip = Compression::Gzip(6);
    spec.outputs =
        vec![Output::Registry { immutable: vec![], dry_run: false, proofs: false, fallback: Some(gzip) }];
    let manifest = |status| Rule::new("PUT", "/manifests/sha256:", Fault::Answer(status, vec![]));
    for status in ["403 Forbidden", "401 Unauthorized", "404 Not Found", "413 Payload Too Large"] {
        proxy.heal();
        proxy.add(manifest(status).always());
        let outcome = run(&sandbox, &spec);
        assert!(!outcome.ok && !outcome.stderr.contains("takes no such image"), "{}", outcome.stderr);
        assert_eq!(proxy.count("PUT", "/manifests/"), 1, "{}", outcome.stderr);
        assert_eq!(check::tag(registry.address, "team/app", "1"), None);
    }
    for status in ["400 Bad Request", "415 Unsupported Media Type", "405 Method Not Allowed"] {
        proxy.heal();
        proxy.add(manifest(status));
        assert_eq!(pushed(&sandbox, &spec).fallback, Some(gzip));
        assert!(check::tag(registry.address, "team/app", "1").is_some());
    }
    proxy.heal();
    proxy.add(manifest("400 Bad Request").always());
    let outcome = run(&sandbox, &spec);
    assert!(
        outcome.stderr.contains("the registry takes no such image; `cargo xtask registry check`"),
        "{}",
        outcome.stderr
    );
    proxy.heal();
    assert_eq!(pushed(&sandbox, &spec).fallback, None);
    assert!(fs::read(sandbox.path("report.json"))?.len() > 2);
    Ok(())
}
