//! Our engine takes over what BuildKit built, on our base.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use image_spec::{Base, Compression, ImageReport, ImageSpec, Output, Platform, Registries, VerifySpec};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use xtask_oci::proof::sbom::Format;
use xtask_oci::registry::client::Connection;
use xtask_oci::{import, make, verify};

use super::common::tool::output;
use super::common::{Sandbox, audited_program};
use super::engines::{Candidate, Engine, Store};
use super::listing::shown;
use super::sample::{HOST, PLATFORMS, Pushed};
use super::server::Registry;

/// What our engine makes of [`Sandbox::spec`], in BuildKit's words.
const DOCKERFILE: &str = r#"
FROM base
ARG TARGETARCH
COPY config /etc/app
COPY --chmod=755 $TARGETARCH /app
ENV APP_LOG=info
LABEL org.opencontainers.image.title=test
LABEL org.opencontainers.image.created=2023-11-14T22:13:20Z
EXPOSE 8080
WORKDIR /data
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app"]
"#;

const USER: &str = "65532:65532";

pub fn trials(engines: &[Candidate]) -> Vec<Trial> {
    let test = |candidate: &Candidate, name: &str, test: fn(&Engine, Store) -> Result<(), Failed>| {
        let name = format!("our engine takes over what {} {name}", candidate.name);
        let store = candidate.store;
        candidate.trial(name, candidate.builds, "docker buildx", move |engine| {
            test(engine, store.ok_or("no docker")?)
        })
    };
    let with = |store| engines.iter().filter(move |candidate| candidate.store == Some(store));
    // The classic store writes no layouts, and has one platform.
    let layouts = with(Store::Containerd);
    let pushes = with(Store::Classic).chain(with(Store::Containerd));
    let layouts = layouts.map(|candidate| test(candidate, "wrote as a layout", of_layout));
    layouts.chain(pushes.map(|candidate| test(candidate, "pushed", of_registry))).collect()
}

/// A project as BuildKit takes it, and the image that our engine would make of it.
fn project(name: &str, platforms: &[Platform]) -> Result<(Sandbox, ImageSpec), Failed> {
    let sandbox = Sandbox::new();
    let mut spec = sandbox.spec();
    let layers = spec.platforms.remove(&Platform::LinuxAmd64).unwrap();
    for &platform in platforms {
        let program = format!("context/{}", platform.architecture());
        sandbox.file(&program, &audited_program(platform));
        let mut layers = layers.clone();
        layers[1].files = vec![sandbox.entry(&program, "/app", Some(0o755))];
        spec.platforms.insert(platform, layers);
    }
    for file in ["app.toml", "more/empty.toml"] {
        let content = std::fs::read(sandbox.path(&format!("config/{file}")))?;
        sandbox.file(&format!("context/config/{file}"), &content);
    }
    spec.tags = vec![name.parse()?];
    Ok((sandbox, spec))
}

fn build(
    engine: &Engine,
    sandbox: &Sandbox,
    platforms: &[Platform],
    dockerfile: &str,
    how: &[&str],
) -> Result<(), Failed> {
    let file = sandbox.file("Dockerfile", dockerfile.as_bytes()).display().to_string();
    let context = sandbox.path("context").display().to_string();
    let platforms = platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let command = ["buildx", "build", "--builder=default", "--file", &file, "--platform", &platforms];
    engine.run(&[&command, how, &[&context]].concat())?;
    Ok(())
}

/// The image of two platforms with the attestation that BuildKit makes by itself, and of one without.
fn of_layout(engine: &Engine, _: Store) -> Result<(), Failed> {
    let name = format!("xtask-oci-test:imported-{}", std::process::id());
    let (sandbox, mut spec) = project(&name, &PLATFORMS)?;
    let base = sandbox.path("base");
    make::base(&PLATFORMS.into(), Compression::default(), &sandbox.path("cache"), &base).map_err(shown)?;
    let base = format!("--build-context=base=oci-layout://{}", base.display());
    let write = |name: &str, platforms: &[Platform], provenance: &str| {
        let dest = sandbox.path(name);
        let output = format!("--output=type=oci,tar=false,compression=zstd,dest={}", dest.display());
        build(engine, &sandbox, platforms, DOCKERFILE, &[&base, &output, provenance])?;
        Ok::<_, Failed>(dest)
    };

    let made = make::image(&spec, &sandbox.places()).map_err(shown)?;
    let ours = configs(&sandbox, &made);
    let several = write("several", &PLATFORMS, "--provenance=mode=min")?;
    let report = import::layout(&spec, &several, &sandbox.path("import")).map_err(shown)?;
    assert_eq!(configs(&sandbox, &report), ours);
    let index = sandbox.json(&report.digest);
    for (found, (theirs, ours)) in
        index["manifests"].as_array().unwrap().iter().zip(report.platforms.iter().zip(&made.platforms))
    {
        assert_eq!((&found["digest"], theirs.platform), (&theirs.digest.clone().into(), ours.platform));
        let names = theirs.layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names[..2], ["base static", "COPY config /etc/app"]);
        assert_eq!(theirs.layers[0].digest, ours.layers[0].digest, "the base is not compressed anew");
    }
    assert!(!index.to_string().contains("unknown"), "{index}");

    spec.platforms.retain(|platform, _| *platform == HOST);
    let single = write("single", &[HOST], "--provenance=false")?;
    let report = import::layout(&spec, &single, &sandbox.path("import")).map_err(shown)?;
    assert_eq!(report.digest, report.platforms[0].digest);
    sandbox.check_layout();
    let _image = engine.removing(&name);
    engine.run(&["load", "--quiet", "--input", &sandbox.path("image.tar").display().to_string()])?;
    assert_eq!(engine.says(&name)?, "ok");
    Ok(())
}

/// How containers of the image run, which is for both engines to say in the same way.
fn configs(sandbox: &Sandbox, report: &ImageReport) -> BTreeMap<Platform, Value> {
    let config = |digest: &str| sandbox.json(digest)["config"].clone();
    report.platforms.iter().map(|found| (found.platform, config(&found.config_digest))).collect()
}

fn of_registry(engine: &Engine, store: Store) -> Result<(), Failed> {
    let registry = Registry::start();
    let platforms = if store == Store::Classic { &[HOST][..] } else { &PLATFORMS };
    let name = format!("{}/team/imported-{}:1", registry.address, std::process::id());
    let (sandbox, mut spec) = project(&name, platforms)?;
    spec.base = Base::Scratch;
    spec.labels = Pushed::labels();
    spec.outputs = vec![Output::Registry { immutable: vec![], dry_run: false, proofs: true, fallback: None }];
    let mut dockerfile = DOCKERFILE.replace("FROM base", "FROM scratch");
    for (key, value) in &spec.labels {
        dockerfile.push_str(&format!("LABEL {key}={value}\n"));
    }
    let _image = engine.removing(&name);
    let tag = format!("--tag={name}");
    if store == Store::Classic {
        build(engine, &sandbox, platforms, &dockerfile, &[&tag, "--output=type=docker"])?;
        engine.run(&["push", "--quiet", &name])?;
    } else {
        let how = [&tag, "--output=type=image,push=true", "--provenance=mode=min"];
        build(engine, &sandbox, platforms, &dockerfile, &how)?;
    }

    let report = import::pushed(&spec, &sandbox.path("folder")).map_err(shown)?;
    assert_eq!(sandbox.names("folder"), [""; 0], "nothing is left");
    let client = Connection::new(&Registries::default()).to_pull(spec.tags[0].repository());
    let root = client.manifest("1").map_err(shown)?;
    assert_eq!(root.map(|root| root.digest.to_string()), Some(report.digest.clone()), "it is not touched");
    assert_eq!(report.remarks, [""; 0]);
    let user = USER.to_owned();
    let (image, registries) = (spec.tags[0].clone(), Registries::default());
    let asked = VerifySpec { image, platforms: platforms.into(), user, registries };
    let checks = verify::verify(&asked, None, &sandbox.path("verify")).map_err(shown)?;
    let wrong = checks.iter().filter(|check| check.problem.is_some());
    assert_eq!(wrong.map(|check| format!("{check:?}")).collect::<Vec<_>>(), [""; 0]);
    assert!(checks.iter().any(|check| check.what.starts_with("provenance: commit 0123")), "{checks:?}");

    for found in &report.platforms {
        let listed = client.referrers(found.digest.parse()?).map_err(shown)?;
        let program = sandbox.path(&format!("context/{}", found.platform.architecture()));
        for (format, flag) in [(Format::Spdx, "spdx"), (Format::Cyclonedx, "cyclonedx")] {
            let kind = Some(format.media_type().to_owned());
            let referring = listed.iter().find(|one| one.artifact_type == kind).expect("an SBOM");
            let theirs = client.referring_document(referring, &sandbox.path("sboms")).map_err(shown)?;
            let mut sbom = Command::new(env!("CARGO_BIN_EXE_xtask-oci"));
            let ours = output(sbom.args(["sbom", "--format", flag]).arg(&program))?;
            let (theirs, ours) = (packages(&theirs)?, packages(&ours)?);
            assert_eq!(theirs, ours);
            assert!(theirs.contains("pkg:cargo/serde@1.0.0"), "{theirs:?}");
        }
    }
    Ok(())
}

/// The URLs of the packages in an SBOM.
fn packages(sbom: &[u8]) -> Result<BTreeSet<String>, Failed> {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if text.starts_with("pkg:cargo/") => drop(found.insert(text.clone())),
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    collect(&serde_json::from_slice(sbom)?, &mut found);
    Ok(found)
}
