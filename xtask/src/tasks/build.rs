//! `build`: static binaries for backends and platforms, under target/dist.

use std::iter;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use image_spec::Platform;

use super::linking::{self, Linking};
use super::packages::{Packages, packages};
use super::pgo; // template: if pipeline_tests
use super::{MESSAGES, bake, engine, engine_step, rustflags, sccache, words};
use crate::cli::{BuildFlags, Variant};
use crate::config::{Config, Profile};
use crate::plan::{Plan, Product, Step};
use crate::platform;

/// The folder of finished binaries below the target folder.
pub(super) const DIST: &str = "dist";

/// The binaries of one backend, and the steps that make them.
pub(super) struct Build {
    /// The backend that they are for.
    pub(super) backend: String,
    /// The platforms that they run on.
    pub(super) platforms: Vec<Platform>,
    /// One for every platform and program.
    pub(super) artifacts: Vec<Artifact>,
    /// What they are for.
    pub(super) variant: Option<Variant>,
    /// What makes them.
    pub(super) steps: Vec<Step>,
}

/// A finished binary.
pub(super) struct Artifact {
    /// Its name among the binaries of the package.
    pub(super) program: String,
    /// The platform that it runs on.
    pub(super) platform: Platform,
    /// Where it is when done; its SHA-256 is beside it.
    pub(super) path: PathBuf,
    /// The step that puts it there.
    pub(super) step: String,
}

/// Plans `build`.
///
/// # Errors
/// For a backend or platform that there is not, and for tools that are missing.
pub(crate) fn plan(config: &Config, flags: &BuildFlags) -> Result<Plan> {
    let builds = builds(config, flags, &[config.own_platform()])?;
    Ok(Plan {
        cwd: config.root.clone(),
        products: builds.iter().flat_map(products).collect(),
        steps: iter::once(engine_step(config))
            .chain(builds.into_iter().flat_map(|build| build.steps))
            .collect(),
        lock: Some(config.target("xtask.lock")),
        ..Plan::default()
    })
}

/// What there is to show of a build: nothing of one that a container keeps.
pub(super) fn products(build: &Build) -> impl Iterator<Item = Product> {
    let artifacts = build.artifacts.iter().filter(|artifact| artifact.step != bake::STEP);
    artifacts.map(|artifact| Product::Artifact { path: artifact.path.clone() })
}

/// Plans the binaries of every backend that is asked for, one backend after the other. Their steps need the step that
/// builds the engine, which checks each binary and puts it in its place.
pub(super) fn builds(config: &Config, flags: &BuildFlags, default: &[Platform]) -> Result<Vec<Build>> {
    let backends = config.backends(&flags.backends)?;
    let asked = if flags.platforms.is_empty() { default } else { &flags.platforms };
    let platforms = config.platforms(asked)?;
    // Where nothing could be done with them, it is of no interest which tools are missing.
    let linking = linked(config, flags, &platforms).map_err(|error| {
        platform::LACKING.map_or(error, |why| anyhow!("images cannot be built here: {why}"))
    })?;
    let planner = Planner { config, flags, platforms, linking, several: backends.len() > 1 };
    pgo::check(&planner, &backends)?; // template: if pipeline_tests

    let mut builds = Vec::<Build>::new();
    for backend in backends {
        // All compile to the same place, and cargo lets one process at a time into its folder.
        let before =
            builds.last().map(|build| build.artifacts.iter().map(|artifact| artifact.step.clone()).collect());
        builds.push(planner.build(backend, before.unwrap_or_default()));
    }
    let trainer = pgo::trainer_step(config, &builds); // template: if pipeline_tests
    builds[0].steps.splice(..0, trainer); // template: if pipeline_tests
    builds[0].steps.splice(..0, sccache::step(config)?);
    Ok(builds)
}

fn linked(config: &Config, flags: &BuildFlags, platforms: &[Platform]) -> Result<Linking> {
    if !config.host.tools.has("cc") {
        bail!(
            "no C compiler: `cc` is not on PATH, and linking needs it; `cargo xtask doctor` shows how to install one"
        );
    }
    linking::choose(config, flags.linker.unwrap_or(config.pipeline.build.linker), platforms)
}

/// Where a finished binary is.
pub(super) fn artifact_path(
    config: &Config,
    flags: &BuildFlags,
    backend: &str,
    platform: Platform,
    program: &str,
) -> PathBuf {
    let suffix = Variant::suffix(flags.variant);
    config.target(&format!("{DIST}/{program}-{backend}-{}{suffix}", platform.slug()))
}

/// What all builds of a plan have in common.
pub(super) struct Planner<'a> {
    pub(super) config: &'a Config,
    flags: &'a BuildFlags,
    pub(super) platforms: Vec<Platform>,
    pub(super) linking: Linking,
    /// Whether there are several backends, so that names of steps must tell them apart.
    pub(super) several: bool,
}

impl Planner<'_> {
    fn build(&self, backend: &str, before: Vec<String>) -> Build {
        let programs = self.config.pipeline.build.binaries();
        let compile = self.compile_step(backend, before);
        let (mut artifacts, mut places) = (Vec::new(), Vec::new());
        for &platform in &self.platforms {
            let distinct = [(self.several, backend), (self.platforms.len() > 1, platform.architecture())];
            let target = self.linking.target(platform);
            let packages = packages(self.config, backend, platform, &target, &distinct);
            for program in programs {
                let place = self.place_step(backend, platform, program, &compile.name, &packages);
                let (path, step) =
                    (artifact_path(self.config, self.flags, backend, platform, program), place.name.clone());
                artifacts.push(Artifact { program: program.clone(), platform, path, step });
                places.push(place);
            }
            places.splice(..0, packages.step);
        }
        // template: if pipeline_tests
        let steps = pgo::trained(self, backend, compile).into_iter();
        // template: else
        // template: add let steps = iter::once(compile);
        // template: end
        let (backend, platforms) = (backend.to_owned(), self.platforms.clone());
        let variant = self.flags.variant;
        Build { backend, platforms, artifacts, variant, steps: steps.chain(places).collect() }
    }

    // template: if pipeline_tests
    /// The same for one platform.
    pub(super) fn alone(&self, platform: Platform) -> Planner<'_> {
        Planner { platforms: vec![platform], linking: self.linking.clone(), ..*self }
    }

    // template: end
    fn place_step(
        &self,
        backend: &str,
        platform: Platform,
        program: &str,
        compile: &str,
        packages: &Packages,
    ) -> Step {
        let path = artifact_path(self.config, self.flags, backend, platform, program);
        let mut argv = vec![engine(self.config), "artifact".to_owned()];
        argv.extend(["--platform".to_owned(), platform.to_string()]);
        argv.extend(words(&["--package", &self.config.pipeline.build.package]));
        argv.extend(words(&["--cargo-metadata", &packages.list.to_string_lossy()]));
        argv.extend(self.flags.variant.map(|_| "--keep-symbols".to_owned()));
        argv.extend(self.flags.upx.then(|| "--upx".to_owned()));
        let compiled = self.compiled(platform, program);
        argv.extend([&compiled, &path].map(|path| path.to_string_lossy().into_owned()));
        let distinct = [
            (self.several, backend),
            (self.platforms.len() > 1, platform.architecture()),
            (self.config.pipeline.build.binaries().len() > 1, program),
        ];
        Step {
            name: name("artifact", &distinct),
            why: format!(
                "put the binary in its place{}",
                if self.flags.upx { ", packed by UPX" } else { "" }
            ),
            argv,
            needs: words(&[compile, "engine"]).into_iter().chain(packages.needs()).collect(),
            outputs: vec![path],
            ..Step::default()
        }
    }

    /// Where cargo leaves a binary.
    fn compiled(&self, platform: Platform, program: &str) -> PathBuf {
        self.config.target(&format!("{}/{}/{program}", self.linking.target(platform), self.profile().name()))
    }

    pub(super) fn profile(&self) -> Profile {
        profile(self.config, self.flags)
    }

    /// One cargo for all platforms: they share what runs on this machine, build scripts and procedural macros.
    pub(super) fn compile_step(&self, backend: &str, needs: Vec<String>) -> Step {
        let Planner { config, linking, platforms, .. } = self;
        let package = &config.pipeline.build.package;
        let programs = config.pipeline.build.binaries();
        let for_platforms = platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
        let mut step = Step {
            name: name("compile", &[(self.several, backend)]),
            why: format!("compile the service for {for_platforms} and {backend}, static by {}", linking.by),
            argv: [linking.compiler(config), words(&["--locked", MESSAGES, "--package", package])].concat(),
            needs,
            crates: true,
            ..Step::default()
        };
        step.argv.extend(programs.iter().flat_map(|program| ["--bin".to_owned(), program.clone()]));
        step.argv.extend(config.pipeline.build.features(backend));
        step.argv.extend(words(&["--profile", self.profile().name()]));
        step.argv
            .extend(platforms.iter().flat_map(|platform| ["--target".to_owned(), linking.target(*platform)]));
        step.outputs
            .extend(platforms.iter().flat_map(|p| programs.iter().map(|program| self.compiled(*p, program))));
        step.env.extend(commit(config).map(|commit| ("APP_COMMIT".to_owned(), commit)));
        if self.flags.variant.is_some() {
            let profile = self.profile().name();
            let settings = ["strip='none'", "debug='line-tables-only'"];
            let settings =
                settings.map(|setting| ["--config".to_owned(), format!("profile.{profile}.{setting}")]);
            step.argv.extend(settings.into_iter().flatten());
        }
        step.argv.extend(mirror(config));
        rustflags::add(config, linking, platforms, &mut step);
        sccache::share(config, &mut step);
        step
    }
}

/// The profile that is asked for, or else configured.
pub(super) fn profile(config: &Config, flags: &BuildFlags) -> Profile {
    flags.profile.unwrap_or(config.pipeline.build.profile)
}

/// Has cargo take crates from the mirror, if there is one.
pub(super) fn mirror(config: &Config) -> Vec<String> {
    let Some(index) = &config.pipeline.mirrors.crates_io else { return Vec::new() };
    let settings = [
        "source.crates-io.replace-with='mirror'".to_owned(),
        format!("source.mirror.registry={}", rustflags::toml_string(index)),
    ];
    settings.into_iter().flat_map(|setting| ["--config".to_owned(), setting]).collect()
}

/// The name of a step, with what tells it from its likes where there are several.
pub(super) fn name(base: &str, distinct: &[(bool, &str)]) -> String {
    let told = distinct.iter().filter(|(several, _)| *several).map(|(_, what)| *what);
    iter::once(base).chain(told).collect::<Vec<_>>().join("-")
}

/// What `app --version` calls the commit: as many digits as people compare, and whether there was more than is in it.
pub(super) fn commit(config: &Config) -> Option<String> {
    let revision = config.source.revision.as_deref()?;
    let (hash, mark) = revision.split_at(revision.find('-').unwrap_or(revision.len()));
    Some(format!("{}{mark}", &hash[..hash.len().min(12)]))
}
