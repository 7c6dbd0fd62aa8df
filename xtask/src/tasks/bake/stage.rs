//! An image in the words of a Dockerfile: the stages that make what an ImageSpec describes.
//!
//! Each layer is a stage of its own and is linked into the image, so that a change of one costs no other, and platforms
//! share those that are alike.

use std::collections::BTreeMap;
use std::path::Path;

use image_spec::{Base, FileEntry, ImageSpec, Layer, Platform, Reference, RunConfig};

use crate::tasks::image::BINARY_LAYER;

/// The context of what the image starts from.
const BASE: &str = "base";
/// The context with the finished binaries.
pub(super) const BINARIES: &str = "binaries";
/// The context with a folder `/busybox`.
pub(super) const SHELL: &str = "shell";

/// What makes an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    /// The Dockerfile.
    pub(super) dockerfile: String,
    /// The images that it takes something from, by the names that it has for them.
    pub(super) images: BTreeMap<String, Reference>,
    /// The image with the shell, if it has one.
    pub(super) shell: Option<Reference>,
}

/// Renders `spec`. The binaries come from the context [`BINARIES`], and the built-in base from the context `base`.
pub(super) fn render(spec: &ImageSpec) -> Rendered {
    let mut rendered = Rendered::default();
    let Some((platform, layers)) = spec.platforms.first_key_value() else { return rendered };
    let mut image = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        if layer.name == BINARY_LAYER {
            image.extend(layer.files.iter().map(|file| binary(file, *platform)));
        } else if layer.links.is_empty() {
            let stage = format!("layer-{index}");
            let lines = layer_lines(layer, &spec.config.workdir, &mut rendered.images);
            rendered.dockerfile += &format!("FROM scratch AS {stage}\n{}\n", lines.join("\n"));
            image.push(format!("COPY --link --from={stage} / /"));
        } else {
            // No instruction makes a symbolic link without running something.
            rendered.shell = layer.files.iter().find_map(|file| file.from.clone());
            image.push(format!("COPY --link --from={SHELL} /busybox /busybox"));
        }
    }
    if let Base::Image(reference) = &spec.base {
        rendered.images.insert(BASE.to_owned(), reference.clone());
    }
    let base = if spec.base == Base::Scratch { "scratch" } else { BASE };
    let head = [format!("FROM {base}"), "ARG TARGETARCH".to_owned()];
    let lines = head.into_iter().chain(image).chain(run_lines(&spec.config));
    rendered.dockerfile += &lines.flat_map(|line| [line, "\n".to_owned()]).collect::<String>();
    rendered
}

/// The base is somebody else's only where it is among the images.
pub(super) fn base_context(spec: &ImageSpec, built_in: &Path) -> Option<(String, String)> {
    let context = || (BASE.to_owned(), format!("oci-layout://{}", built_in.display()));
    (spec.base == Base::Static).then(context)
}

fn layer_lines(layer: &Layer, workdir: &str, images: &mut BTreeMap<String, Reference>) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &layer.files {
        let from = file.from.as_ref().map(|reference| {
            let known = images.iter().find(|(_, other)| *other == reference).map(|(name, _)| name.clone());
            known.unwrap_or_else(|| {
                let name = format!("image-{}", images.len());
                images.insert(name.clone(), reference.clone());
                name
            })
        });
        lines.push(copy(file, from.as_deref(), &file.src.to_string_lossy()));
    }
    for folder in &layer.folders {
        // A working folder belongs to the user of the moment, and so would those above it that are not there yet.
        let above = folder.dest.rsplit_once('/').map_or("/", |(above, _)| above);
        let above = if above.is_empty() { "/" } else { above };
        lines.extend([
            "USER 0:0".to_owned(),
            format!("WORKDIR {}", escaped(above)),
            format!("USER {}", escaped(&folder.owner)),
            format!("WORKDIR {}", escaped(&folder.dest)),
        ]);
    }
    if lines.is_empty() {
        lines.push(format!("WORKDIR {}", escaped(workdir)));
    }
    lines
}

/// The binary of every platform: its name says which.
fn binary(file: &FileEntry, platform: Platform) -> String {
    let name = file.src.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (before, after) = name.split_once(&platform.slug()).unwrap_or((&name, ""));
    let src = format!("/{}linux-${{TARGETARCH}}{}", escaped(before), escaped(after));
    flagged_copy(file, Some(BINARIES), true, &src)
}

fn copy(file: &FileEntry, from: Option<&str>, src: &str) -> String {
    flagged_copy(file, from, false, &escaped(src))
}

fn flagged_copy(file: &FileEntry, from: Option<&str>, is_linked: bool, src: &str) -> String {
    let flags = [
        is_linked.then(|| "--link".to_owned()),
        from.map(|name| format!("--from={name}")),
        Some(format!("--chown={}", file.owner.as_deref().unwrap_or("0:0"))),
        file.mode.map(|mode| format!("--chmod={mode:04o}")),
    ];
    let flags = flags.into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("COPY {flags} {}", json(&[src.to_owned(), escaped(&file.dest)]))
}

/// How its containers run, as far as labels do not say it.
fn run_lines(config: &RunConfig) -> impl Iterator<Item = String> {
    let env = config
        .env
        .iter()
        .map(|(name, value)| format!("ENV {name}=\"{}\"", escaped(value).replace('"', "\\\"")));
    let ports = config.ports.iter().map(|port| format!("EXPOSE {port}/tcp"));
    let rest = [
        format!("WORKDIR {}", escaped(&config.workdir)),
        format!("USER {}", config.user),
        format!("STOPSIGNAL {}", config.stop_signal),
        format!("ENTRYPOINT {}", json(&config.entrypoint)),
    ];
    env.chain(ports).chain(rest)
}

/// Keeps a Dockerfile from taking a dollar for a variable, or a backslash for what it does to the next character.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('$', r"\$")
}

fn json(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| json_text(word)).collect::<Vec<_>>().join(", "))
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
