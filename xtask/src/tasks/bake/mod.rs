//! The engine `buildkit`: one `docker buildx bake` makes all images of a plan, from a definition that follows from the
//! same ImageSpec that the native engine takes.

pub(super) mod binaries;
mod builder;
mod definition;
mod dockerfile;
mod output;
mod stage;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use image_spec::{Base, ImageSpec, Output, Reference, Registries};

use super::build::Build;
use super::engines::{self, Made, Planned};
use super::image::{self, ImageStep};
use super::{bd, build, engine, engine_step, words};
use crate::cli::{BdFlags, ImageFlags};
use crate::config::{Config, Engine, Packaging};
use crate::plan::{Plan, Product, Step};
use definition::{Definition, Target};

/// The step that has BuildKit make everything.
pub(super) const STEP: &str = "bake";
/// The folder of the built-in base, below the target folder.
const BASE: &str = "images/base";

/// Plans `bake`: what is needed first, and the definition.
///
/// # Errors
/// As `bd`.
pub(crate) fn plan(config: &Config, flags: &BdFlags) -> Result<Plan> {
    let mut flags = flags.clone();
    flags.image.engine.engine = Some(Engine::Buildkit);
    let planned = bd::planned(config, &flags)?;
    let definition = definition(config, &flags.image, &planned)?.to_json()?;
    let base = base_step(config, &planned, &flags.image);
    let of_builds = planned.into_iter().flat_map(|one| one.build.steps);
    let steps = [engine_step(config)].into_iter().chain(of_builds).chain(base).collect();
    let lock = Some(config.lock());
    let products = vec![Product::Definition { text: definition + "\n" }];
    Ok(Plan { cwd: config.root.clone(), steps, products, lock, ..Plan::default() })
}

/// The steps that make images: the first one has all that come before the bake, and it.
///
/// # Errors
/// buildx, its builder or a stage of the Dockerfile is not there or cannot do it.
pub(super) fn images(config: &Config, flags: &ImageFlags, mut planned: Vec<Planned>) -> Result<Vec<Made>> {
    builder::check(config, flags, &planned)?;
    let definition = definition_step(config, definition(config, flags, &planned)?.to_json()?);
    let base = base_step(config, &planned, flags);
    let left = planned.iter().filter_map(|one| layout(config, &one.build, &one.spec)).collect::<Vec<_>>();
    let clear = (!left.is_empty()).then(|| clear_step(&left));

    let mut before =
        planned.iter_mut().flat_map(|one| std::mem::take(&mut one.build.steps)).collect::<Vec<_>>();
    let mut needs = before.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
    let others = base.into_iter().chain(clear).chain([definition.clone()]);
    before.extend(others.inspect(|step| needs.push(step.name.clone())));
    before.push(bake_step(config, &definition, needs));

    let several = planned.len() > 1;
    let made = planned.into_iter().map(|one| {
        let image = import_step(config, &one, several)?;
        Ok(Made { spec: one.spec, before: std::mem::take(&mut before), image })
    });
    made.collect()
}

/// What bake is to make.
fn definition(config: &Config, flags: &ImageFlags, planned: &[Planned]) -> Result<Definition> {
    let mut definition = Definition::default();
    for Planned { build, spec } in planned {
        let image = match &flags.engine.target {
            Some(stage) => binaries::target(config, flags, build, stage),
            None => rendered(config, flags, build, spec, &mut definition),
        };
        let layout = layout(config, build, spec);
        let image = output::add(config, flags, image, build, spec, layout.as_deref());
        definition.want(format!("image-{}", build.backend), image);
    }
    Ok(definition)
}

/// What makes the image that config/pipeline.toml describes, and adds what it takes from.
fn rendered(
    config: &Config,
    flags: &ImageFlags,
    build: &Build,
    spec: &ImageSpec,
    definition: &mut Definition,
) -> Target {
    let stage::Rendered { dockerfile, images, shell } = stage::render(spec);
    let mut contexts = BTreeMap::from_iter(stage::base_context(spec, &config.target(BASE)));
    contexts
        .extend(images.iter().map(|(name, image)| (name.clone(), image_context(image, &spec.registries))));
    let binaries = match engines::packaging(config, flags) {
        Packaging::Prebuilt => config.target(build::DIST).to_string_lossy().into_owned(),
        Packaging::Container => {
            let name = format!("binaries-{}", build.backend);
            let target = binaries::target(config, flags, build, "artifact");
            add_for_others(
                config,
                definition,
                &name,
                output::with_cache_from(config, flags, target, build, spec),
            );
            format!("target:{name}")
        }
    };
    contexts.insert(stage::BINARIES.to_owned(), binaries);
    if let Some(image) = shell {
        let mut target = binaries::target(config, flags, build, stage::SHELL);
        target.contexts.insert("busybox".to_owned(), image_context(&image, &spec.registries));
        target.platforms = build.platforms.iter().map(ToString::to_string).collect();
        add_for_others(config, definition, stage::SHELL, target);
        contexts.insert(stage::SHELL.to_owned(), format!("target:{}", stage::SHELL));
    }
    Target { dockerfile_inline: Some(dockerfile), contexts, ..binaries::bare(config, flags) }
}

/// Adds what is made only for others to take from. Docker's own builder would keep an image without a name of it, unless it
/// is wanted as something else.
fn add_for_others(config: &Config, definition: &mut Definition, name: &str, target: Target) {
    if builder::is_of_docker(config) {
        let output = format!("type=local,dest={}", config.target(&format!("images/{name}")).display());
        definition.want(name.to_owned(), Target { output: vec![output], ..target });
    } else {
        definition.add(name.to_owned(), Target { output: words(&["type=cacheonly"]), ..target });
    }
}

/// An image as a context, from its mirror where it has one.
fn image_context(image: &Reference, registries: &Registries) -> String {
    let (registry, path) = registries.place(image.repository());
    let name = match (image.digest(), image.tag()) {
        (Some(digest), _) => format!("@{digest}"),
        (None, _) => format!(":{}", image.tag_or_latest()),
    };
    format!("docker-image://{registry}/{path}{name}")
}

/// Where BuildKit leaves an image that it does not push.
fn layout(config: &Config, build: &Build, spec: &ImageSpec) -> Option<PathBuf> {
    (!is_pushed(config, spec)).then(|| config.target(&format!("images/{}.bake", image::name(config, build))))
}

/// Whether BuildKit itself pushes an image. Docker's own has Docker push, and files with the times of the build: there our
/// own engine pushes.
pub(super) fn is_pushed(config: &Config, spec: &ImageSpec) -> bool {
    let to_registry = spec.outputs.iter().any(|output| matches!(output, Output::Registry { .. }));
    to_registry && !builder::is_of_docker(config)
}

/// The step that writes the built-in base for BuildKit, where an image starts from it.
fn base_step(config: &Config, planned: &[Planned], flags: &ImageFlags) -> Option<Step> {
    let on_base =
        planned.iter().find(|one| one.spec.base == Base::Static && flags.engine.target.is_none())?;
    let dest = config.target(BASE);
    let mut argv = vec![engine(config), "base".to_owned()];
    let platforms = on_base.build.platforms.iter();
    argv.extend(platforms.flat_map(|platform| ["--platform".to_owned(), platform.to_string()]));
    argv.extend(words(&["--compression", &on_base.spec.compression.to_string()]));
    argv.push(dest.to_string_lossy().into_owned());
    Some(Step {
        name: "base".to_owned(),
        why: "write the base static for BuildKit".to_owned(),
        argv,
        needs: words(&["engine"]),
        outputs: vec![dest.join("index.json")],
        ..Step::default()
    })
}

/// BuildKit adds to a layout that is there.
fn clear_step(left: &[PathBuf]) -> Step {
    let paths = left.iter().map(|path| path.to_string_lossy().into_owned());
    Step {
        name: "clear".to_owned(),
        why: "remove what an earlier bake left".to_owned(),
        argv: words(&["rm", "-rf"]).into_iter().chain(paths).collect(),
        ..Step::default()
    }
}

/// The step that writes the definition into a file: what bake reads from a pipe it takes for a compose file first, and warns
/// of every variable of a shell in it.
fn definition_step(config: &Config, definition: String) -> Step {
    let file = config.target("images/bake.json");
    Step {
        name: "definition".to_owned(),
        why: "write what BuildKit is to do".to_owned(),
        argv: words(&["cat"]),
        stdin: Some(definition),
        stdout: Some(file.clone()),
        outputs: vec![file],
        ..Step::default()
    }
}

fn bake_step(config: &Config, definition: &Step, needs: Vec<String>) -> Step {
    let mut argv = words(&["docker", "buildx", "bake", "--progress", "rawjson"]);
    for file in &definition.outputs {
        argv.extend(words(&["--file", &file.to_string_lossy()]));
    }
    argv.extend(builder::arguments(config));
    Step {
        name: STEP.to_owned(),
        why: "have BuildKit make the image".to_owned(),
        argv,
        needs,
        vertices: true,
        ..Step::default()
    }
}

/// The step that takes over what BuildKit has made: checks it, and writes it where it goes, or looks at what was pushed.
fn import_step(config: &Config, planned: &Planned, several: bool) -> Result<ImageStep> {
    let metadata = image::metadata(config, &planned.build);
    let mut argv = vec![engine(config), "import".to_owned()];
    let layout = layout(config, &planned.build, &planned.spec);
    if let Some(layout) = &layout {
        argv.extend(["--layout".to_owned(), layout.to_string_lossy().into_owned()]);
    }
    argv.extend(["--metadata-file".to_owned(), metadata.to_string_lossy().into_owned()]);
    let why = match &layout {
        Some(_) => "check the image, and bring it where it goes",
        None => "look at what was pushed, and put SBOM and provenance beside it",
    };
    let outputs = planned.spec.outputs.iter().filter_map(image::path_of).collect();
    let step = Step {
        name: build::name("image", &[(several, &planned.build.backend)]),
        why: why.to_owned(),
        argv,
        stdin: Some(serde_json::to_string_pretty(&planned.spec).context("the image cannot be described")?),
        needs: words(&["engine", STEP]),
        outputs,
        ..Step::default()
    };
    Ok(ImageStep { step, metadata })
}
