//! `[builder]` of `config/pipeline.toml`: the BuildKit builder, wherever its daemons run.
//!
//! Options are those of buildx's drivers:
//! [docker-container](https://docs.docker.com/build/builders/drivers/docker-container),
//! [kubernetes](https://docs.docker.com/build/builders/drivers/kubernetes),
//! [remote](https://docs.docker.com/build/builders/drivers/remote).

mod check;

use std::collections::BTreeMap;
use std::path::PathBuf;

use image_spec::{Platform, Reference};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// The builder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub(crate) struct Builder {
    /// Its name in buildx.
    pub(crate) name: String,
    /// Its daemons, and how they run.
    pub(crate) nodes: Nodes,
}

/// The daemons of a builder, at least one: they run all in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// In containers of a Docker engine each.
    DockerContainer(Vec<Container>),
    /// In a Kubernetes cluster.
    Kubernetes(Vec<Pods>),
    /// Somebody else started them.
    Remote(Vec<Remote>),
}

/// A daemon in a container.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Container {
    /// What it builds for. Without it, what it can.
    #[serde(default)]
    pub(crate) platforms: Vec<Platform>,
    /// The Docker context or host that it runs on, such as `ssh://me@big.example.com`. Without it, the one in use.
    pub(crate) endpoint: Option<String>,
    /// The image of BuildKit, if not the usual one.
    pub(crate) image: Option<Reference>,
    /// The network that it is in, such as `host`.
    pub(crate) network: Option<String>,
}

/// Daemons alike in a cluster: a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pods {
    /// What they build for. Without it, what they can.
    #[serde(default)]
    pub(crate) platforms: Vec<Platform>,
    /// The namespace. Without it, that of the current context of kubectl.
    pub(crate) namespace: Option<String>,
    /// How many pods. Without it one.
    pub(crate) replicas: Option<u16>,
    /// The image of BuildKit, if not the usual one.
    pub(crate) image: Option<Reference>,
    /// Whether they run without root.
    #[serde(default)]
    pub(crate) rootless: bool,
    /// What each pod is sure to get.
    #[serde(default)]
    pub(crate) requests: Resources,
    /// What each pod never gets more than.
    #[serde(default)]
    pub(crate) limits: Resources,
    /// Labels of the machines that they may run on.
    #[serde(default)]
    pub(crate) nodeselector: BTreeMap<String, String>,
}

/// An amount of what a machine has, as a
/// [quantity](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity) of Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resources {
    /// Cores, such as `2` or `500m`.
    pub(crate) cpu: Option<String>,
    /// Bytes, such as `4Gi`.
    pub(crate) memory: Option<String>,
}

/// A daemon that listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remote {
    /// What it builds for. Without it, what it can.
    #[serde(default)]
    pub(crate) platforms: Vec<Platform>,
    /// Where, such as `tcp://build.example.com:1234`.
    pub(crate) endpoint: String,
    /// The certificate of the authority that it is trusted by. This and the other files are PEM.
    pub(crate) cacert: Option<PathBuf>,
    /// The certificate that it knows this machine by.
    pub(crate) cert: Option<PathBuf>,
    /// The key of that.
    pub(crate) key: Option<PathBuf>,
    /// The name in its certificate, where that is not the one in the endpoint.
    pub(crate) servername: Option<String>,
}

/// `builder.node` has what differs from node to node, and what is beside it is the same for all.
impl TryFrom<Table> for Builder {
    type Error = String;

    fn try_from(mut shared: Table) -> Result<Builder, String> {
        let mut text = |key: &str| match shared.remove(key) {
            None => Err(format!("missing field `{key}`")),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(format!("`{key}` must be a string")),
        };
        let (name, driver) = (text("name")?, text("driver")?);
        check::name(&name)?;
        let own = match shared.remove("node") {
            None => vec![Table::new()],
            Some(nodes) => {
                nodes.try_into::<Vec<Table>>().map_err(|_| "`node` must be written as [[builder.node]]")?
            }
        };
        if own.is_empty() {
            return Err("`node` must name at least one".to_owned());
        }
        let nodes = match &*driver {
            "docker-container" => Nodes::DockerContainer(read(&driver, &shared, own)?),
            "kubernetes" => Nodes::Kubernetes(read(&driver, &shared, own)?),
            "remote" => Nodes::Remote(read(&driver, &shared, own)?),
            other => {
                return Err(format!(
                    "unknown driver `{other}`, expected one of `docker-container`, `kubernetes`, `remote`"
                ));
            }
        };
        nodes.check()?;
        Ok(Builder { name, nodes })
    }
}

/// What each node is with the options that all share.
fn read<T: DeserializeOwned>(driver: &str, shared: &Table, own: Vec<Table>) -> Result<Vec<T>, String> {
    let nodes = own.into_iter().map(|own| {
        let mut all = shared.clone();
        all.extend(own);
        all.try_into().map_err(|error| format!("{} (the driver is `{driver}`)", error.to_string().trim_end()))
    });
    nodes.collect()
}

impl Nodes {
    /// The name that buildx has for the driver.
    pub(crate) fn driver(&self) -> &'static str {
        match self {
            Nodes::DockerContainer(_) => "docker-container",
            Nodes::Kubernetes(_) => "kubernetes",
            Nodes::Remote(_) => "remote",
        }
    }
}
// template: if pipeline_tests

#[cfg(test)]
mod tests;
// template: end
