//! Where BuildKit keeps layers for other builders.

use serde::Deserialize;

/// Where layers are kept for other builders: `registry`, `gha` or `local`, and the
/// [option](https://docs.docker.com/build/cache/backends) of buildx that says where exactly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum LayerCache {
    /// A tag in a registry: `ref=…`.
    Registry(Option<String>),
    /// GitHub's cache service: `scope=…`.
    Gha(Option<String>),
    /// A folder of this machine: `dest=…`.
    Local(Option<String>),
}

impl TryFrom<String> for LayerCache {
    type Error = String;

    fn try_from(text: String) -> Result<LayerCache, String> {
        let (kind, option) =
            text.split_once(',').map_or((&*text, None), |(kind, option)| (kind, Some(option)));
        let value = |key: &str| {
            let value = |option: &str| {
                let value = option.strip_prefix(key).and_then(|rest| rest.strip_prefix('='));
                let value = value.filter(|value| !value.is_empty() && !value.contains(','));
                value.map(str::to_owned).ok_or_else(|| format!("`{option}` is not {key}=…"))
            };
            option.map(value).transpose()
        };
        match kind.strip_prefix("type=").unwrap_or(kind) {
            "registry" => value("ref").map(LayerCache::Registry),
            "gha" => value("scope").map(LayerCache::Gha),
            "local" => value("dest").map(LayerCache::Local),
            other => Err(format!("`{other}` keeps no layers; write registry, gha or local")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_spelt_as_buildx_spells_them() {
        let parse = |text: &str| LayerCache::try_from(text.to_owned());
        assert_eq!(parse("gha"), Ok(LayerCache::Gha(None)));
        assert_eq!(parse("type=registry,ref=a/b:c"), Ok(LayerCache::Registry(Some("a/b:c".to_owned()))));
        assert_eq!(parse("local,dest="), Err("`dest=` is not dest=…".to_owned()));
        assert_eq!(parse("local,ref=x"), Err("`ref=x` is not dest=…".to_owned()));
        assert_eq!(parse("s4"), Err("`s4` keeps no layers; write registry, gha or local".to_owned()));
    }
}
