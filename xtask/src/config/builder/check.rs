//! What is refused in `[builder]` though its words are right.

use image_spec::Platform;

use super::{Container, Nodes, Pods, Remote};

/// Stricter than buildx: what is legal in names of Kubernetes as well.
pub(super) fn name(name: &str) -> Result<(), String> {
    let is_letter = |c: char| c.is_ascii_lowercase();
    let is_legal = |c: char| is_letter(c) || c.is_ascii_digit() || c == '-';
    let length = 1..=40;
    if name == "default" {
        return Err("`name` is `default`, which is the engine of Docker; choose another".to_owned());
    }
    if !name.starts_with(is_letter) || !name.chars().all(is_legal) || !length.contains(&name.len()) {
        return Err(format!(
            "`name` is `{name}`; write a small letter, and up to 39 more, digits and hyphens"
        ));
    }
    Ok(())
}

impl Nodes {
    /// What makes no sense in its options.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Nodes::DockerContainer(nodes) => {
                check_platforms(nodes.iter().map(|node| &*node.platforms))?;
                check_endpoints(nodes.iter().map(|node| node.endpoint.as_deref()))?;
                nodes.iter().try_for_each(Container::check)
            }
            Nodes::Kubernetes(nodes) => {
                check_platforms(nodes.iter().map(|node| &*node.platforms))?;
                nodes.iter().try_for_each(Pods::check)
            }
            Nodes::Remote(nodes) => {
                check_platforms(nodes.iter().map(|node| &*node.platforms))?;
                check_endpoints(nodes.iter().map(|node| Some(&*node.endpoint)))?;
                nodes.iter().try_for_each(Remote::check)
            }
        }
    }
}

/// BuildKit asks one node for each platform: who of several it is has to be clear.
fn check_platforms<'a>(nodes: impl Iterator<Item = &'a [Platform]>) -> Result<(), String> {
    let nodes = nodes.collect::<Vec<_>>();
    if nodes.len() > 1 && nodes.iter().any(|platforms| platforms.is_empty()) {
        return Err("each of several nodes needs `platforms`".to_owned());
    }
    let all = nodes.concat();
    match all.iter().enumerate().find(|(index, platform)| all[..*index].contains(platform)) {
        Some((_, platform)) => Err(format!("`platforms` has {platform} twice")),
        None => Ok(()),
    }
}

fn check_endpoints<'a>(nodes: impl Iterator<Item = Option<&'a str>>) -> Result<(), String> {
    let all = nodes.collect::<Vec<_>>();
    match all.iter().enumerate().find(|(index, endpoint)| all[..*index].contains(endpoint)) {
        Some((_, endpoint)) => Err(format!(
            "`endpoint` is {} for two nodes; each needs its own",
            endpoint.map_or_else(|| "missing".to_owned(), |endpoint| format!("`{endpoint}`"))
        )),
        None => Ok(()),
    }
}

impl Container {
    fn check(&self) -> Result<(), String> {
        let is_empty = |text: &Option<String>| text.as_deref() == Some("");
        if is_empty(&self.endpoint) || self.endpoint.as_deref().is_some_and(|text| text.starts_with('-')) {
            return Err("`endpoint` must be a Docker context or host, such as `ssh://me@host`".to_owned());
        }
        if is_empty(&self.network) {
            return Err("`network` must name a network of Docker, such as `host`".to_owned());
        }
        Ok(())
    }
}

impl Pods {
    fn check(&self) -> Result<(), String> {
        if self.replicas == Some(0) {
            return Err("`replicas` must be 1 or more".to_owned());
        }
        if self.namespace.as_deref() == Some("") {
            return Err("`namespace` must not be empty".to_owned());
        }
        let quantities = [
            ("requests.cpu", &self.requests.cpu),
            ("requests.memory", &self.requests.memory),
            ("limits.cpu", &self.limits.cpu),
            ("limits.memory", &self.limits.memory),
        ];
        for (key, quantity) in quantities {
            if let Some(text) = quantity.as_deref().filter(|text| !is_quantity(text)) {
                return Err(format!(
                    "`{key}` is `{text}`; write a quantity such as \"2\", \"500m\" or \"4Gi\""
                ));
            }
        }
        // buildx splits the list at each of these.
        let is_plain = |text: &str| !text.contains([',', '=', '"']);
        let wrong = |(key, value): &(&String, &String)| key.is_empty() || !is_plain(key) || !is_plain(value);
        match self.nodeselector.iter().find(wrong) {
            Some((key, value)) => {
                Err(format!("`nodeselector` has `{key}={value}`, which is no label of a node"))
            }
            None => Ok(()),
        }
    }
}

fn is_quantity(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &text[..text.len() - unit.len()];
    let units = ["", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"];
    number.parse::<f64>().is_ok_and(|number| number > 0.0) && units.contains(&unit)
}

impl Remote {
    fn check(&self) -> Result<(), String> {
        let is_tcp = self.endpoint.starts_with("tcp://");
        if !is_tcp && !self.endpoint.starts_with("unix://") {
            return Err(format!(
                "`endpoint` is `{}`; write `tcp://host:port`, or `unix:///path` for a socket",
                self.endpoint
            ));
        }
        let given = [
            ("cacert", self.cacert.is_some()),
            ("cert", self.cert.is_some()),
            ("key", self.key.is_some()),
            ("servername", self.servername.is_some()),
        ];
        let first = given.iter().find(|(_, is_given)| *is_given).map(|(key, _)| *key);
        match (first, self.cert.is_some(), self.key.is_some()) {
            (Some(key), _, _) if !is_tcp => Err(format!("`{key}` is for TLS, which a socket has none of")),
            (Some(key), _, _) if self.cacert.is_none() => Err(format!("`{key}` needs `cacert` as well")),
            (_, true, false) => Err("`cert` needs its `key` as well".to_owned()),
            (_, false, true) => Err("`key` needs its `cert` as well".to_owned()),
            _ => Ok(()),
        }
    }
}
