//! Where a finished image goes: the values of `--output`, as buildx spells them where the meaning is the same.

use std::path::PathBuf;

use crate::error::did_you_mean;

/// Where a finished image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Into what runs containers on this machine.
    Load(Store),
    /// An archive that docker, podman and skopeo read.
    Archive(Option<PathBuf>),
    /// An OCI image layout folder.
    Layout(Option<PathBuf>),
    /// The registry that the image is named after.
    Registry,
}

/// A store of images on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// The running Docker engine.
    Docker,
    /// podman's store.
    Podman,
    /// A namespace of containerd, by `ctr`.
    Containerd {
        /// Kubernetes' is `k8s.io`.
        namespace: String,
    },
    /// The nodes of a kind cluster.
    Kind {
        /// The cluster.
        cluster: String,
    },
    /// The node of this machine in a k3s cluster.
    K3s,
}

/// What the value begins with.
pub(crate) const TYPES: [&str; 7] = ["docker", "podman", "containerd", "kind", "k3s", "oci", "registry"];

/// Reads `type=oci,dest=x.tar`; the word `type=` may be left out.
pub(super) fn parse(text: &str) -> Result<Output, String> {
    let mut parts = text.split(',');
    let kind = parts.next().unwrap_or_default();
    let kind = kind.strip_prefix("type=").unwrap_or(kind);
    let keys: &[&str] = match kind {
        "oci" => &["dest", "tar"],
        "containerd" => &["namespace"],
        "kind" => &["name"],
        _ => &[],
    };
    let mut values = Vec::new();
    for part in parts {
        let pair = part.split_once('=').filter(|(key, value)| keys.contains(key) && !value.is_empty());
        values.push(pair.ok_or_else(|| match keys {
            [] => format!("`{kind}` takes nothing more, and not `{part}`"),
            keys => format!(
                "`{part}` is not one of {}",
                keys.iter().map(|key| format!("{key}=…")).collect::<Vec<_>>().join(", ")
            ),
        })?);
    }
    let value = |key: &str| values.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let dest = value("dest").map(PathBuf::from);
    let owned = |key: &str, default: &str| value(key).unwrap_or(default).to_owned();
    Ok(match kind {
        "oci" => match value("tar") {
            None | Some("true") => Output::Archive(dest),
            Some("false") => Output::Layout(dest),
            Some(other) => return Err(format!("`tar={other}` is neither true nor false")),
        },
        "registry" => Output::Registry,
        "docker" => Output::Load(Store::Docker),
        "podman" => Output::Load(Store::Podman),
        "containerd" => Output::Load(Store::Containerd { namespace: owned("namespace", "default") }),
        "kind" => Output::Load(Store::Kind { cluster: owned("name", "kind") }),
        "k3s" => Output::Load(Store::K3s),
        other => {
            return Err(format!("unknown output type, {}", did_you_mean(other, &TYPES.map(str::to_owned))));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_spelt_as_buildx_spells_them() {
        let containerd =
            |namespace: &str| Output::Load(Store::Containerd { namespace: namespace.to_owned() });
        let kind = |cluster: &str| Output::Load(Store::Kind { cluster: cluster.to_owned() });
        for (text, output) in [
            ("docker", Output::Load(Store::Docker)),
            ("type=podman", Output::Load(Store::Podman)),
            ("containerd", containerd("default")),
            ("containerd,namespace=k8s.io", containerd("k8s.io")),
            ("kind", kind("kind")),
            ("kind,name=dev", kind("dev")),
            ("k3s", Output::Load(Store::K3s)),
            ("type=registry", Output::Registry),
            ("oci", Output::Archive(None)),
            ("type=oci,dest=a.tar", Output::Archive(Some("a.tar".into()))),
            ("oci,tar=false,dest=dir", Output::Layout(Some("dir".into()))),
        ] {
            assert_eq!(parse(text), Ok(output), "{text}");
        }
    }

    #[test]
    fn wrong_outputs_name_what_is_wrong() {
        for (text, message) in [
            ("dokcer", "unknown output type, did you mean `docker`?"),
            ("docker,dest=x", "`docker` takes nothing more, and not `dest=x`"),
            ("oci,dst=x", "`dst=x` is not one of dest=…, tar=…"),
            ("oci,dest=", "`dest=` is not one of dest=…, tar=…"),
            ("oci,tar=no", "`tar=no` is neither true nor false"),
        ] {
            assert_eq!(parse(text).unwrap_err(), message);
        }
    }
}
