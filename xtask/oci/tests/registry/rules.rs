//! What a push promises beside arriving: tags that never move, dry runs that upload nothing, mounts, many names.

use image_spec::PushReport;
use libtest_mimic::{Failed, Trial};
use xtask_oci::image::Image;
use xtask_oci::registry::push::{Push, check_new, existing};

use super::check;
use super::common::Sandbox;
use super::engine;
use super::fault::{Fault, Rule};
use super::proxy::Proxy;
use super::sample::{REPOSITORY, Samples, connection, digest, push, push_with, repository, size_of};
use super::server::Registry;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("immutable tags stay", immutable_tags_stay),
        Trial::test("dry runs upload nothing", dry_runs_upload_nothing),
        Trial::test("mounts upload nothing", mounts_upload_nothing),
        Trial::test("every name is given", every_name_is_given),
        Trial::test("relative locations do", relative_locations_do),
        Trial::test("no proxy is asked for this machine", no_proxy_for_this_machine),
        Trial::test("absent registries are told", absent_registries_are_told),
    ]
}

fn immutable_tags_stay() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let image = |seed, tags: &[&str]| samples.image(seed, &[1000, 2000], registry.address, tags);
    let immutable = ["*.*.*".to_owned(), "release-*".to_owned()];
    let push =
        |image: &Image| push_with(image, &connection(), &Push { immutable: &immutable, ..Push::default() });
    let tag = |tag: &str| check::tag(registry.address, REPOSITORY, tag);
    let old = image(1, &["1.0.0", "latest"]);
    push(&old)?;
    push(&old)?;
    let before = registry.storage();
    for tags in [&["1.0.0"][..], &["latest", "1.0.0"], &["1.0.0", "latest"], &["new", "1.0.0"]] {
        let error = push(&image(2, tags)).expect_err("the tag is taken");
        let expected = format!(
            "{}/{REPOSITORY}:1.0.0 exists and is immutable ({}); raise the version, or change [push] immutable in \
             config/pipeline.toml",
            registry.address,
            digest(&old)
        );
        assert_eq!(error, expected);
    }
    assert_eq!(registry.storage(), before, "a push that is refused uploads nothing");
    // Who pushes by other means asks beforehand, when there is no digest yet that it could stay.
    let look = |image: &Image| check_new(&image.names, &immutable, &connection());
    let error = format!("{:#}", look(&old).expect_err("the tag is taken"));
    assert!(error.contains("1.0.0 exists and is immutable"), "{error}");
    look(&image(1, &["latest", "1.0.1"]))?;
    let asked = image(1, &["1.0.0", "1.0.1"]).names;
    assert_eq!(existing(&asked, &connection())?, asked[..1]);
    let other = format!("{}/team/nothing:1.0.0", registry.address).parse()?;
    assert_eq!(existing(&[other], &connection())?, []);
    let new = image(2, &["latest", "1.0.1", "release-2"]);
    push(&new)?;
    assert_eq!(tag("1.0.0"), Some(digest(&old)));
    assert!(["latest", "1.0.1", "release-2"].iter().all(|name| tag(name) == Some(digest(&new))));

    // Who cannot tell whether a tag is taken does not move it.
    let proxy = Proxy::new(registry.address, []);
    proxy.add(Rule::new("GET", "/manifests/", Fault::Answer("500 Internal Server Error", vec![])).always());
    let error = push(&samples.image(3, &[1000], proxy.address, &["1.0.1"])).expect_err("it cannot tell");
    assert!(error.contains("cannot read") && error.contains("tried 5 times"), "{error}");
    assert_eq!(proxy.count("POST", "") + proxy.count("PUT", ""), 0);
    let asked = samples.image(3, &[1000], proxy.address, &["1.0.1"]).names;
    let error = format!("{:#}", existing(&asked, &connection()).expect_err("it cannot tell"));
    assert!(error.contains("cannot read"), "{error}");
    Ok(())
}

/// A dry run leaves no trace, and says what the push then does.
fn dry_runs_upload_nothing() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let image = |seed| samples.image(seed, &[300_000, 200_000, 10_000], registry.address, &["latest"]);
    let dry = Push { dry_run: true, ..Push::default() };
    for (image, text) in [(image(1), "all is new"), (image(2), "a part is there"), (image(2), "all is there")]
    {
        let before = registry.storage();
        let foreseen = push_with(&image, &connection(), &dry)?;
        assert_eq!(registry.storage(), before, "{text}");
        let real = push(&image)?;
        assert_eq!(foreseen, PushReport { dry_run: true, ..real }, "{text}");
        assert_eq!(real.uploaded + real.present, size_of(&image), "{text}");
    }
    // An immutable tag is refused in a dry run, too.
    let immutable = ["latest".to_owned()];
    let error = push_with(&image(3), &connection(), &Push { immutable: &immutable, ..dry });
    assert!(error.expect_err("the tag is taken").contains("exists and is immutable"));
    Ok(())
}

fn mounts_upload_nothing() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let proxy = Proxy::new(registry.address, []);
    let image = |seed, name: &str| {
        samples.named(seed, &[300_000, 200_000], &[format!("{}/team/{name}:latest", proxy.address)])
    };
    let sources =
        |names: &[&str]| names.iter().map(|name| repository(proxy.address, name)).collect::<Vec<_>>();
    push(&image(1, "base"))?;
    // Another registry and the repository itself are no sources, and one that has nothing does no harm.
    let sources = [sources(&["team/app", "team/none", "team/base"]), vec!["ghcr.io/a/b".parse()?]].concat();
    let how = Push { sources: sources.clone(), ..Push::default() };
    let dry = Push { sources, dry_run: true, ..Push::default() };

    for (seed, uploads) in [(1, false), (2, true)] {
        proxy.heal();
        let image = image(seed, "app");
        let before = registry.storage();
        let foreseen = push_with(&image, &connection(), &dry)?;
        assert_eq!(registry.storage(), before);
        let report = push_with(&image, &connection(), &how)?;
        assert_eq!(foreseen, PushReport { dry_run: true, ..report });
        assert_eq!(report.uploaded > 0, uploads);
        assert_eq!(report.uploaded + report.mounted + report.present, size_of(&image));
        assert_eq!(proxy.received("PUT", "/blobs/") + proxy.received("PATCH", "/blobs/"), report.uploaded);
        assert_eq!(check::tag(registry.address, "team/app", "latest"), Some(digest(&image)));
    }
    Ok(())
}

/// Several repositories and tags at once, all whole.
fn every_name_is_given() -> Result<(), Failed> {
    let (registry, samples) = (Registry::start(), Samples::new());
    let host = registry.address;
    let names = ["a/x:1", "a/x:latest", "b/y/z:1"].map(|name| format!("{host}/{name}"));
    let image = samples.named(1, &[100_000], &names);
    let report = push(&image)?;
    assert_eq!(report.uploaded, 2 * size_of(&image), "each repository gets its own");
    for (repository, tag) in [("a/x", "1"), ("a/x", "latest"), ("b/y/z", "1")] {
        assert_eq!(check::tag(host, repository, tag), Some(digest(&image)));
    }
    let error = push(&samples.named(1, &[1000], &[])).expect_err("it has no name");
    assert_eq!(error, "the image has no name to push it under; give it a tag");
    Ok(())
}

/// Registries that name no origin where an upload goes on.
fn relative_locations_do() -> Result<(), Failed> {
    let (registry, samples) = (Registry::with("  relativeurls: true\n"), Samples::new());
    let image = samples.image(1, &[100_000, 1000], registry.address, &["latest"]);
    push(&image)?;
    assert_eq!(check::tag(registry.address, REPOSITORY, "latest"), Some(digest(&image)));
    Ok(())
}

/// A proxy for the network knows nothing of registries on this machine.
fn no_proxy_for_this_machine() -> Result<(), Failed> {
    let (registry, sandbox) = (Registry::start(), Sandbox::new());
    let spec = engine::spec(&sandbox, &[format!("{}/{REPOSITORY}:latest", registry.address)]);
    for variable in ["HTTPS_PROXY", "ALL_PROXY", "http_proxy"] {
        let mut command = engine::command(&sandbox, &spec);
        command.env(variable, "http://127.0.0.1:9");
        let outcome = engine::run(command, &sandbox.path("report.json"), Vec::new);
        assert!(outcome.ok, "{}", outcome.stderr);
    }
    Ok(())
}

/// Nobody is there: said soon, with the address.
fn absent_registries_are_told() -> Result<(), Failed> {
    let samples = Samples::new();
    let image = samples.named(1, &[1000], &["127.0.0.1:9/team/app:1".to_owned()]);
    let error = push(&image).expect_err("nobody is there");
    assert!(
        error.ends_with(": tried 5 times: cannot reach 127.0.0.1:9: Connection refused (os error 111)"),
        "{error}"
    );
    let image = samples.named(1, &[1000], &["registry.invalid/team/app:1".to_owned()]);
    let error = push(&image).expect_err("nobody is there");
    assert!(error.contains("cannot reach registry.invalid: "), "{error}");
    Ok(())
}
