//! Which engine makes an image, and what only BuildKit does.

use clap::Args;

use crate::config::{CompileCache, Engine, LayerCache, Packaging};

/// Flags that choose the engine, and those of BuildKit's.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct EngineFlags {
    /// What makes the image [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) engine: Option<Engine>,
    /// BuildKit: where the binaries come from [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) packaging: Option<Packaging>,
    /// BuildKit: where a container finds what was compiled before [default: from config/pipeline.toml]
    #[arg(long)]
    pub(crate) cache: Option<CompileCache>,
    /// BuildKit: where layers are kept for other builders: registry, gha or local, and what [cache] layers takes besides
    /// [default: from config/pipeline.toml]
    #[arg(long, value_name = "PLACE", value_parser = parse_layer_cache)]
    pub(crate) layer_cache: Option<LayerCache>,
    /// BuildKit: make this stage of the Dockerfile as it is, such as runtime-media
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// BuildKit: a secret for private crates, as buildx spells it: id=cargo-credentials,src=FILE; may be repeated
    #[arg(long = "secret", value_name = "id=NAME,…")]
    pub(crate) secrets: Vec<String>,
    /// BuildKit: an SSH agent or key for private repositories, as buildx spells it: default; may be repeated
    #[arg(long, value_name = "ID[=…]")]
    pub(crate) ssh: Vec<String>,
    /// BuildKit: let an emulator run what the builder's processors cannot
    #[arg(long)]
    pub(crate) emulate: bool,
}

impl EngineFlags {
    /// The first flag that is there and that only BuildKit understands.
    pub(crate) fn of_buildkit(&self) -> Option<&'static str> {
        let flags = [
            ("--packaging", self.packaging.is_some()),
            ("--cache", self.cache.is_some()),
            ("--layer-cache", self.layer_cache.is_some()),
            ("--target", self.target.is_some()),
            ("--secret", !self.secrets.is_empty()),
            ("--ssh", !self.ssh.is_empty()),
            ("--emulate", self.emulate),
        ];
        flags.into_iter().find(|(_, is_there)| *is_there).map(|(name, _)| name)
    }
}

fn parse_layer_cache(text: &str) -> Result<LayerCache, String> {
    text.to_owned().try_into()
}
