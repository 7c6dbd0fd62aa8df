//! What `docker buildx bake` reads, in the part that is needed here.
//!
//! As [JSON](https://docs.docker.com/build/bake/reference), whose strings bake takes for templates.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// All that one bake makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Definition {
    group: BTreeMap<&'static str, Group>,
    target: BTreeMap<String, Target>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Group {
    targets: Vec<String>,
}

/// Something that is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Target {
    /// The folder whose files it may take.
    pub(super) context: String,
    /// A Dockerfile that is in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dockerfile_inline: Option<String>,
    /// The stage; without it the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// What stands for names of stages and images.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) contexts: BTreeMap<String, String>,
    /// Values for `ARG`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) args: BTreeMap<String, String>,
    /// Names of the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    /// Labels of its config.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    /// Annotations, each as `manifest:KEY=VALUE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) platforms: Vec<String>,
    /// Secrets that commands may mount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) secret: Vec<String>,
    /// SSH agents that commands may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ssh: Vec<String>,
    /// Where layers may come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cache_from: Vec<String>,
    /// Where layers are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cache_to: Vec<String>,
    /// Documents about it that go along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attest: Vec<String>,
    /// Where it goes.
    pub(super) output: Vec<String>,
}

impl Definition {
    /// Adds what is made only for others.
    pub(super) fn add(&mut self, name: String, target: Target) {
        self.target.insert(name, target);
    }

    /// Adds what is wanted.
    pub(super) fn want(&mut self, name: String, target: Target) {
        self.group.entry("default").or_default().targets.push(name.clone());
        self.add(name, target);
    }

    /// The definition as bake reads it.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        let mut json = serde_json::to_value(self)?;
        escape(&mut json);
        serde_json::to_string_pretty(&json)
    }
}

/// Keeps bake from taking `${` and `%{` for the beginning of an expression.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("${", "$${").replace("%{", "%%{"),
        Value::Array(values) => values.iter_mut().for_each(escape),
        Value::Object(values) => values.values_mut().for_each(escape),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
