//! The nodes of the builder in the words of `docker buildx create`, and the mark by which they are known again.

use std::path::Path;

use image_spec::Platform;

use super::super::words;
use crate::config::{Builder, Config, Container, Nodes, Pods, Remote};
use crate::tools::buildx;

/// A node as buildx is told of it.
pub(super) struct Node {
    /// Its name.
    pub(super) name: String,
    /// The option that has the digest of the settings; none where the name has it.
    mark: Option<(&'static str, String)>,
    /// The command that makes it.
    pub(super) argv: Vec<String>,
}

/// What the configuration says of one node.
struct Described<'a> {
    platforms: &'a [Platform],
    options: Vec<(&'static str, String)>,
    endpoint: Option<&'a str>,
}

/// Whether buildx gives the daemons their settings: those of somebody else have their own.
pub(super) fn takes_settings(nodes: &Nodes) -> bool {
    !matches!(nodes, Nodes::Remote(_))
}

/// Whether a builder was made from the same settings as these nodes.
pub(super) fn is_same(found: &buildx::Builder, wanted: &Builder, nodes: &[Node]) -> bool {
    let has_mark = |found: &buildx::Node, node: &Node| match &node.mark {
        None => true,
        Some((key, value)) => found.options.get(*key) == Some(value),
    };
    found.driver == wanted.nodes.driver()
        && found.nodes.len() == nodes.len()
        && found.nodes.iter().zip(nodes).all(|(found, node)| found.name == node.name && has_mark(found, node))
}

/// The nodes of the builder. `settings` is the file that daemons get their settings from.
///
/// A cache belongs to the name of its node, so the name stays when settings change. Daemons of somebody else keep their
/// cache anyway, and have no option that could take the mark.
pub(super) fn nodes(config: &Config, wanted: &Builder, settings: &Path) -> Vec<Node> {
    let described = match &wanted.nodes {
        Nodes::DockerContainer(nodes) => nodes.iter().map(container).collect::<Vec<_>>(),
        Nodes::Kubernetes(nodes) => nodes.iter().map(pods).collect(),
        Nodes::Remote(nodes) => nodes.iter().map(|node| remote(&config.root, node)).collect(),
    };
    let digest = digest(config, wanted, &described);
    let node = |(index, node): (usize, Described<'_>)| {
        let name = format!("{}{index}", wanted.name);
        let (name, mark) = match &wanted.nodes {
            Nodes::DockerContainer(_) => (name, Some(("env.BUILDER_SETTINGS", digest.clone()))),
            Nodes::Kubernetes(_) => (name, Some(("labels", format!("builder-settings={digest}")))),
            Nodes::Remote(_) => (format!("{name}-{digest}"), None),
        };
        let mut argv = words(&["docker", "buildx", "create", "--name", &wanted.name]);
        argv.extend((index > 0).then(|| "--append".to_owned()));
        argv.extend(words(&["--driver", wanted.nodes.driver(), "--node", &name]));
        if !node.platforms.is_empty() {
            argv.extend(["--platform".to_owned(), joined(node.platforms)]);
        }
        if takes_settings(&wanted.nodes) {
            argv.extend(words(&["--buildkitd-config", &settings.to_string_lossy()]));
        }
        for (key, value) in node.options.iter().chain(&mark) {
            argv.extend(["--driver-opt".to_owned(), csv(&format!("{key}={value}"))]);
        }
        argv.extend(node.endpoint.map(str::to_owned));
        Node { name, mark, argv }
    };
    described.into_iter().enumerate().map(node).collect()
}

fn container(node: &Container) -> Described<'_> {
    let options =
        [("image", node.image.as_ref().map(ToString::to_string)), ("network", node.network.clone())];
    Described { platforms: &node.platforms, options: given(options), endpoint: node.endpoint.as_deref() }
}

fn pods(node: &Pods) -> Described<'_> {
    let selector = node.nodeselector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let options = given([
        ("image", node.image.as_ref().map(ToString::to_string)),
        ("namespace", node.namespace.clone()),
        ("replicas", node.replicas.map(|replicas| replicas.to_string())),
        ("rootless", node.rootless.then(|| "true".to_owned())),
        ("requests.cpu", node.requests.cpu.clone()),
        ("requests.memory", node.requests.memory.clone()),
        ("limits.cpu", node.limits.cpu.clone()),
        ("limits.memory", node.limits.memory.clone()),
        ("nodeselector", (!selector.is_empty()).then(|| selector.join(","))),
    ]);
    Described { platforms: &node.platforms, options, endpoint: None }
}

/// buildx wants absolute paths of files.
fn remote<'a>(root: &Path, node: &'a Remote) -> Described<'a> {
    let absolute = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map(|path| root.join(path).to_string_lossy().into_owned())
    };
    let options = given([
        ("cacert", absolute(&node.cacert)),
        ("cert", absolute(&node.cert)),
        ("key", absolute(&node.key)),
        ("servername", node.servername.clone()),
    ]);
    Described { platforms: &node.platforms, options, endpoint: Some(&node.endpoint) }
}

fn given<const N: usize>(options: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    options.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn joined(platforms: &[Platform]) -> String {
    platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(",")
}

/// A field of comma-separated values, which is how buildx reads an option.
fn csv(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// All that the builder is made from, in 16 digits: 64-bit [FNV-1a](https://datatracker.ietf.org/doc/html/rfc9923). It
/// has to tell changes apart and to be the same everywhere, not to withstand anybody.
fn digest(config: &Config, wanted: &Builder, nodes: &[Described<'_>]) -> String {
    let mut lines = vec![wanted.nodes.driver().to_owned()];
    for node in nodes {
        lines.push(format!("node {} {}", joined(node.platforms), node.endpoint.unwrap_or_default()));
        lines.extend(node.options.iter().map(|(key, value)| format!("{key}={value}")));
    }
    if takes_settings(&wanted.nodes) {
        lines.push(config.buildkitd.to_string());
    }
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", lines.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325, mix))
}
