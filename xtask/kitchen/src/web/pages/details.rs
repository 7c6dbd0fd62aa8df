//! What a build was asked for and what it made.

use maud::{Markup, html};
use serde_json::Value;

use super::units::bytes;
use crate::store::{Artifact, Image, Layer, Record};

/// What can be asked for, by its name in a request, with what it is for people.
const PARAMETERS: [(&str, &str); 7] = [
    ("task", "Task"),
    ("backends", "Databases"),
    ("platforms", "Platforms"),
    ("engine", "Engine"),
    ("profile", "Profile"),
    ("tag", "Tag"),
    ("dry_run", "Dry run"),
];

/// All of it.
pub(super) fn details(record: &Record) -> Markup {
    html! {
        section #made aria-label="What it made" {
            (parameters(&record.request))
            @if !record.artifacts.is_empty() { (artifacts(&record.artifacts)) }
            @if !record.images.is_empty() { h2 { "Images" } }
            @for image in &record.images { (self::image(image, &record.layers)) }
        }
    }
}

/// What was asked for; what was not is as the project has it.
fn parameters(request: &Value) -> Markup {
    html! {
        h2 { "Parameters" }
        dl.facts {
            @for (name, shown) in PARAMETERS {
                div { dt { (shown) } dd { (parameter(request, name)) } }
            }
        }
    }
}

/// A parameter of a request as text.
pub(super) fn parameter(request: &Value, name: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &request[name] {
        Value::String(text) => text.clone(),
        Value::Array(values) if !values.is_empty() => values.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        _ if name == "tag" => "none".to_owned(),
        _ => "as configured".to_owned(),
    }
}

fn artifacts(artifacts: &[Artifact]) -> Markup {
    html! {
        h2 { "Binaries" }
        table.made {
            thead { tr { th { "File" } th { "SHA-256" } th.number { "Size" } } }
            tbody {
                @for Artifact { path, size, sha256 } in artifacts {
                    tr { td { code { (path) } } td { (digest(sha256)) } td.number { (bytes(*size as f64)) } }
                }
            }
        }
    }
}

fn image(image: &Image, layers: &[Layer]) -> Markup {
    let mut platforms: Vec<&str> = Vec::new();
    for layer in layers.iter().filter(|layer| layer.image == image.digest) {
        if !platforms.contains(&layer.platform.as_str()) {
            platforms.push(&layer.platform);
        }
    }
    html! {
        p { @for tag in image.tags.split(' ') { code { (tag) } " " } span.quiet { (bytes(image.size as f64)) } }
        p.quiet { code { (image.digest) } }
        @for platform in platforms {
            (layer_table(platform, layers.iter().filter(|layer| layer.image == image.digest && layer.platform == platform)))
        }
    }
}

fn layer_table<'a>(platform: &str, layers: impl Iterator<Item = &'a Layer> + Clone) -> Markup {
    let most = layers.clone().map(|layer| layer.size).max().unwrap_or(0).max(1);
    let all: i64 = layers.clone().map(|layer| layer.size).sum();
    html! {
        table.made {
            caption { (platform) ", " (bytes(all as f64)) }
            thead { tr { th { "Layer" } th { "Digest" } th { "" } th { span.unseen { "Share" } } th.number { "Size" } } }
            tbody {
                @for layer in layers {
                    @let kind = if layer.cached { "cached" } else { "new" };
                    tr {
                        td { (layer.name) }
                        td { (digest(layer.digest.trim_start_matches("sha256:"))) }
                        td { (kind) }
                        td.share { svg.share aria-hidden="true" { rect class=(kind) height="100%" width=(share(layer.size, most)) {} } }
                        td.number { (bytes(layer.size as f64)) }
                    }
                }
            }
        }
    }
}

/// As much of a digest as tells it from others at a glance; all of it is in the tip.
fn digest(text: &str) -> Markup {
    html! { code title=(text) { (text.chars().take(12).collect::<String>()) } }
}

/// A part of the largest, as the width of a bar.
pub(super) fn share(part: i64, most: i64) -> String {
    format!("{:.2}%", 100.0 * part as f64 / most.max(1) as f64)
}
