//! Where BuildKit keeps layers for other builders.

use std::fmt;

use serde::Deserialize;

/// Where layers are kept for other builders: `registry`, `gha` or `local`, and the
/// [options](https://docs.docker.com/build/cache/backends) that buildx has for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LayerCache {
    /// The kind.
    pub(crate) kind: LayerCacheKind,
    /// The options that are written, such as `ref=…`.
    pub(crate) options: Vec<String>,
}

/// What keeps layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerCacheKind {
    /// A tag in a registry.
    Registry,
    /// GitHub's cache service.
    Gha,
    /// A folder of this machine.
    Local,
}

impl TryFrom<String> for LayerCache {
    type Error = String;

    fn try_from(text: String) -> Result<LayerCache, String> {
        let mut parts = text.split(',');
        let kind = parts.next().unwrap_or_default();
        let (kind, known): (_, &[&str]) = match kind.strip_prefix("type=").unwrap_or(kind) {
            "registry" => (LayerCacheKind::Registry, &["ref"]),
            "gha" => (LayerCacheKind::Gha, &["scope"]),
            "local" => (LayerCacheKind::Local, &["dest"]),
            other => return Err(format!("`{other}` keeps no layers; write registry, gha or local")),
        };
        let options = parts.map(str::to_owned).collect::<Vec<_>>();
        let is_known = |option: &&String| {
            option.split_once('=').is_some_and(|(key, value)| known.contains(&key) && !value.is_empty())
        };
        match options.iter().find(|option| !is_known(option)) {
            Some(option) => Err(format!("`{option}` is not {}=…", known.join("=…, "))),
            None => Ok(LayerCache { kind, options }),
        }
    }
}

impl LayerCache {
    /// The value of an option that is written.
    pub(crate) fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find_map(|option| option.strip_prefix(key)?.strip_prefix('='))
    }
}

impl fmt::Display for LayerCacheKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LayerCacheKind::Registry => "registry",
            LayerCacheKind::Gha => "gha",
            LayerCacheKind::Local => "local",
        })
    }
}
