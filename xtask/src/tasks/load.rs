//! Images on their way into what runs containers on this machine.

use std::path::Path;

use anyhow::{Result, bail};

use super::words;
use crate::cli::Store;
use crate::config::Config;
use crate::plan::{Step, quote};
use crate::tools::Need;

/// A store that is there.
pub(super) struct Loader {
    /// Where images go.
    store: Store,
    /// What that is called, for people.
    pub(super) name: String,
}

/// What has to be known of the machine to load into `store`.
pub(super) fn need(store: &Store) -> Need {
    match store {
        Store::Docker => Need::Runtime(&["docker"]),
        Store::Podman => Need::Runtime(&["podman"]),
        Store::Containerd { .. } | Store::Kind { .. } | Store::K3s => Need::Compiler,
    }
}

/// What loads into the store that was asked for, or into the runtime that answers, if one does.
///
/// # Errors
/// The store that was asked for is not there.
pub(super) fn loader(config: &Config, asked: Option<&Store>) -> Result<Option<Loader>> {
    let tools = &config.host.tools;
    let running = tools.runtime.as_ref();
    let named = |store: &Store, name: String| Ok(Some(Loader { store: store.clone(), name }));
    let asked = match (asked, running) {
        (Some(asked), _) => asked,
        (None, None) => return Ok(None),
        (None, Some(runtime)) if runtime.program == "docker" => &Store::Docker,
        (None, Some(_)) => &Store::Podman,
    };
    let program = program(asked);
    match asked {
        Store::Docker | Store::Podman => match running.filter(|runtime| runtime.program == program) {
            Some(runtime) => named(asked, format!("{program} {}", runtime.version)),
            None => bail!("{program} does not answer; start it, or write an archive with `--output oci`"),
        },
        _ if !tools.has(program) => {
            bail!("{program} is not on PATH; `cargo xtask doctor` shows how to install it")
        }
        Store::Containerd { namespace } => named(asked, format!("the namespace {namespace} of containerd")),
        Store::Kind { cluster } => named(asked, format!("the kind cluster {cluster}")),
        Store::K3s => named(asked, "k3s".to_owned()),
    }
}

impl Loader {
    /// The step that loads an archive after the step `image` has written it.
    pub(super) fn step(&self, archive: &Path, image: &str) -> Step {
        Step {
            name: image.replace("image", "load"),
            why: format!("load the image into {}", self.name),
            argv: argv(&self.store, archive),
            needs: words(&[image]),
            ..Step::default()
        }
    }

    /// The program that runs containers of it, where it is one for people: not in a cluster.
    pub(super) fn runs(&self) -> Option<&'static str> {
        matches!(self.store, Store::Docker | Store::Podman).then(|| program(&self.store))
    }
}

fn program(store: &Store) -> &'static str {
    match store {
        Store::Docker => "docker",
        Store::Podman => "podman",
        Store::Containerd { .. } => "ctr",
        Store::Kind { .. } => "kind",
        Store::K3s => "k3s",
    }
}

fn argv(store: &Store, archive: &Path) -> Vec<String> {
    let archive = &*archive.to_string_lossy();
    words(&match store {
        Store::Docker | Store::Podman => vec![program(store), "load", "--quiet", "--input", archive],
        Store::Containerd { namespace } => vec!["ctr", "--namespace", namespace, "images", "import", archive],
        Store::Kind { cluster } => vec!["kind", "load", "image-archive", "--name", cluster, archive],
        Store::K3s => vec!["k3s", "ctr", "images", "import", archive],
    })
}

/// The command that loads an archive into Docker, for people.
pub(super) fn by_hand(archive: &Path) -> String {
    argv(&Store::Docker, archive).iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}
