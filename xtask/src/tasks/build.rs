//! `build`: one static binary for a backend and platform, under target/dist.

use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use image_spec::Platform;

use super::linking::{self, Linking};
use super::{engine, engine_step, words};
use crate::cli::{BuildFlags, Profile};
use crate::config::Config;
use crate::plan::{Plan, Product, Step};

/// A binary that a plan makes.
pub(super) struct Artifact {
    /// The backend that it is for.
    pub(super) backend: String,
    /// The platform that it runs on.
    pub(super) platform: Platform,
    /// Where it is when done; its SHA-256 is beside it.
    pub(super) path: PathBuf,
    /// The steps that make it; the last one is named `artifact`.
    pub(super) steps: Vec<Step>,
}

/// Plans `build`.
///
/// # Errors
/// For a backend or platform that there is not, and for tools that are missing.
pub(crate) fn plan(config: &Config, flags: &BuildFlags) -> Result<Plan> {
    let artifact = artifact(config, flags)?;
    Ok(Plan {
        cwd: config.root.clone(),
        steps: artifact.steps,
        products: vec![Product::Artifact { path: artifact.path }],
        lock: Some(config.target("xtask.lock")),
    })
}

/// Plans the binary and, beside it, the engine that checks it and puts it in its place.
pub(super) fn artifact(config: &Config, flags: &BuildFlags) -> Result<Artifact> {
    let backend = config.backend(flags.backend.as_deref())?.to_owned();
    let platform = config.platform(flags.platform)?;
    let profile = flags.profile.unwrap_or(config.pipeline.build.profile);
    if !config.host.tools.has("cc") {
        bail!(
            "no C compiler: `cc` is not on PATH, and linking needs it; `cargo xtask doctor` shows how to install one"
        );
    }
    let linking = linking::choose(config, flags.linker.unwrap_or(config.pipeline.build.linker), platform)?;

    let package = &config.pipeline.build.package;
    let compiled = config.target(&format!("{}/{}/{package}", linking.target, profile.name()));
    let path = config.target(&format!("dist/{package}-{backend}-{}", platform.slug()));
    let compile = compile_step(config, &linking, &backend, profile, compiled.clone(), platform);

    let mut place =
        vec![engine(config), "artifact".to_owned(), "--platform".to_owned(), platform.to_string()];
    place.extend(flags.upx.then(|| "--upx".to_owned()));
    place.extend([&compiled, &path].map(|path| path.to_string_lossy().into_owned()));
    let place = Step {
        name: "artifact".to_owned(),
        why: format!("put the binary in its place{}", if flags.upx { ", packed by UPX" } else { "" }),
        argv: place,
        needs: words(&["compile", "engine"]),
        outputs: vec![path.clone()],
        ..Step::default()
    };
    Ok(Artifact { backend, platform, path, steps: vec![compile, engine_step(config), place] })
}

fn compile_step(
    config: &Config,
    linking: &Linking,
    backend: &str,
    profile: Profile,
    output: PathBuf,
    platform: Platform,
) -> Step {
    let package = &config.pipeline.build.package;
    let feature = format!("db_{backend}");
    let mut step = Step {
        name: "compile".to_owned(),
        why: format!("compile the service for {platform} and {backend}, static by {}", linking.by),
        argv: words(&["cargo", linking.subcommand, "--locked", "--package", package, "--bin", package]),
        outputs: vec![output],
        ..Step::default()
    };
    step.argv.extend(words(&["--no-default-features", "--features", &feature]));
    step.argv.extend(words(&["--profile", profile.name(), "--target", &linking.target]));

    step.env.extend(commit(config).map(|commit| ("APP_COMMIT".to_owned(), commit)));

    let rustflags = rustflags(config, linking);
    match &config.host.rustflags {
        // Cargo takes flags from one place only, and the variable wins. A flag with a space has no place in it.
        Some(users) => {
            let own = rustflags.iter().map(String::as_str).filter(|flag| !flag.contains(char::is_whitespace));
            let all = iter::once(users.as_str()).chain(own).collect::<Vec<_>>();
            step.env.insert("RUSTFLAGS".to_owned(), all.join(" "));
        }
        None => {
            let list = rustflags.iter().map(|flag| toml_string(flag)).collect::<Vec<_>>().join(",");
            step.argv
                .extend(["--config".to_owned(), format!("target.{}.rustflags=[{list}]", linking.target)]);
        }
    }
    step
}

/// What `app --version` calls the commit: as many digits as people compare, and whether there was more than is in it.
fn commit(config: &Config) -> Option<String> {
    let revision = config.source.revision.as_deref()?;
    let (hash, mark) = revision.split_at(revision.find('-').unwrap_or(revision.len()));
    Some(format!("{}{mark}", &hash[..hash.len().min(12)]))
}

/// Flags that make the binary static and independent of where it was built.
fn rustflags(config: &Config, linking: &Linking) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = words(linking.rustflags);
    flags.push(remap(&config.host.cargo_home, "/cargo"));
    flags.push(remap(&config.root, "/src"));
    flags
}

/// A basic string of TOML.
fn toml_string(text: &str) -> String {
    toml::Value::from(text).to_string()
}
