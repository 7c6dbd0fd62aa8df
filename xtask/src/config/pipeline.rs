//! `config/pipeline.toml`: what is built and what the image is like.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Error, Result, bail};
use image_spec::{Compression, Repository};

use serde::Deserialize;

use super::build::Build;
use super::builder::Builder;
use super::buildkit::Buildkit;
use super::cache::{self, Cache};
use super::check::Check;
use super::image::Image;

/// Where the file is, from the workspace root.
const PATH: &str = "config/pipeline.toml";

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pipeline {
    /// `[build]`
    pub(crate) build: Build,
    /// `[image]`
    pub(crate) image: Image,
    /// `[buildkit]`
    #[serde(default)]
    pub(crate) buildkit: Buildkit,
    /// `[push]`
    #[serde(default)]
    pub(crate) push: Push,
    /// `[registries]`
    #[serde(default)]
    pub(crate) registries: Registries,
    /// `[mirrors]`
    #[serde(default)]
    pub(crate) mirrors: Mirrors,
    /// `[builder]`
    pub(crate) builder: Option<Builder>,
    /// `[cache]`
    #[serde(default)]
    pub(crate) cache: Cache,
    /// `[check]`
    #[serde(default)]
    pub(crate) check: Check,
}

/// How images are pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Push {
    /// Tags that never move once they exist; `*` stands for any characters.
    #[serde(default)]
    pub(crate) immutable: Vec<String>,
    /// Whether SBOM and provenance go along.
    #[serde(default)]
    pub(crate) proofs: bool,
    /// How layers are compressed for a registry that does not take them as `image.compression` has them.
    pub(crate) fallback: Option<Compression>,
}

/// How registries are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registries {
    /// Those that have no TLS, with their ports. Those on this machine need not be named.
    #[serde(default)]
    pub(crate) insecure: Vec<String>,
}

/// What stands in for places that cannot be reached, or are slow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Mirrors {
    /// The index of crates, such as `sparse+https://mirror.example.com/crates/`.
    #[serde(rename = "crates-io")]
    pub(crate) crates_io: Option<String>,
    /// For a registry another one, or a place in it.
    #[serde(flatten)]
    pub(crate) registries: BTreeMap<String, String>,
}

impl Pipeline {
    /// Reads the file of the workspace at `root`.
    pub(crate) fn read(root: &Path) -> Result<Pipeline> {
        let text = fs::read_to_string(root.join(PATH)).with_context(|| {
            format!("cannot read {PATH}, which says what is built (`git checkout {PATH}` restores it)")
        })?;
        Pipeline::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Pipeline> {
        cache::check(text).map_err(Error::msg).with_context(|| format!("{PATH} is not right"))?;
        let pipeline: Pipeline = toml::from_str(text).with_context(|| format!("{PATH} is not right"))?;
        let lists = [
            ("build.backends", pipeline.build.backends.is_empty()),
            ("build.platforms", pipeline.build.platforms.is_empty()),
        ];
        if let Some((key, _)) = lists.into_iter().find(|(_, is_empty)| *is_empty) {
            bail!("{PATH} is not right: `{key}` must name at least one");
        }
        if let Some(name) =
            pipeline.build.features.keys().find(|name| !pipeline.build.backends.contains(name))
        {
            bail!("{PATH} is not right: `build.features.{name}` is for none of `build.backends`");
        }
        let is_secret =
            |name: &&String| ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| name.contains(word));
        if let Some(name) = pipeline.buildkit.args.keys().find(is_secret) {
            bail!(
                "{PATH} is not right: `buildkit.args.{name}` would be in every image's provenance; use buildkit.secrets, \
                 and mount it in the Dockerfile"
            );
        }
        for (registry, mirror) in &pipeline.mirrors.registries {
            let place = format!("{mirror}/image").parse::<Repository>();
            if !place.is_ok_and(|place| place.to_string().starts_with(place.registry())) {
                bail!(
                    "{PATH} is not right: `mirrors.\"{registry}\"` is `{mirror}`; write a registry and perhaps a place in \
                     it, such as `mirror.example.com/gcr`, without https://"
                );
            }
        }
        Ok(pipeline)
    }
}
// template: if pipeline_tests

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    use crate::config::fixture::PIPELINE;

    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&format!("{:#}", Pipeline::parse(text).unwrap_err()));
    }

    #[test]
    fn the_file_of_this_repository_is_right() {
        assert_eq!(
            Pipeline::parse(include_str!("../../../config/pipeline.toml")).unwrap().build.package,
            "app"
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        check(
            &PIPELINE.replace("profile =", "profil ="),
            &expect![[r#"
            config/pipeline.toml is not right: TOML parse error at line 6, column 1
              |
            6 | profil = "release"
              | ^^^^^^
            unknown field `profil`, expected one of `package`, `path`, `binaries`, `backends`, `features`, `platforms`, `profile`, `linker`
        "#]],
        );
    }

    #[test]
    fn a_missing_key_is_named() {
        check(
            &PIPELINE.replace("repository = \"team/app\"", ""),
            &expect![[r#"
            config/pipeline.toml is not right: TOML parse error at line 9, column 1
              |
            9 | [image]
              | ^^^^^^^
            missing field `repository`
        "#]],
        );
    }

    #[test]
    fn broken_syntax_is_shown() {
        check(
            "[build\npackage = \"app\"\n",
            &expect![[r#"
            config/pipeline.toml is not right: TOML parse error at line 1, column 7
              |
            1 | [build
              |       ^
            unclosed table, expected `]`
        "#]],
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        check(
            &PIPELINE.replace("\"linux/arm64\"", "\"linux/arm46\""),
            &expect![[r#"
            config/pipeline.toml is not right: TOML parse error at line 5, column 13
              |
            5 | platforms = ["linux/amd64", "linux/arm46"]
              |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            unknown platform `linux/arm46`; there are linux/amd64 and linux/arm64
        "#]],
        );
    }

    #[test]
    fn a_wrong_image_name_is_named_with_its_line() {
        check(
            &PIPELINE.replace("team/app", "Team/app"),
            &expect![[r#"
            config/pipeline.toml is not right: TOML parse error at line 10, column 14
               |
            10 | repository = "Team/app"
               |              ^^^^^^^^^^
            `Team/app` is not a legal image name: `Team` has capital letters; write `team`
        "#]],
        );
    }

    #[test]
    fn a_mirror_is_a_place_and_no_url() {
        let mirrors = "[mirrors]\ncrates-io = 'sparse+https://m.example/'\n'docker.io' = ";
        let parse = |mirror: &str| format!("{PIPELINE}{mirrors}'{mirror}'");
        let pipeline = Pipeline::parse(&parse("m.example:5000/hub")).unwrap();
        assert_eq!(pipeline.mirrors.crates_io.as_deref(), Some("sparse+https://m.example/"));
        assert_eq!(pipeline.mirrors.registries["docker.io"], "m.example:5000/hub");
        for wrong in ["https://m.example", "m", "m.example/"] {
            assert!(Pipeline::parse(&parse(wrong)).is_err(), "{wrong}");
        }
        check(
            &parse("https://m.example"),
            &expect![[
                r#"config/pipeline.toml is not right: `mirrors."docker.io"` is `https://m.example`; write a registry and perhaps a place in it, such as `mirror.example.com/gcr`, without https://"#
            ]],
        );
    }

    #[test]
    fn a_password_of_the_cache_is_refused_and_not_shown() {
        check(
            &format!("{PIPELINE}[cache]\nsccache = 'redis://:hunter2@cache.example.com:6379'"),
            &expect![
                "config/pipeline.toml is not right: `cache.sccache`: a user or password must not be in this file, which is committed; set SCCACHE_REDIS_USERNAME and SCCACHE_REDIS_PASSWORD instead"
            ],
        );
    }

    #[test]
    fn features_are_those_of_a_database() {
        check(
            &format!("{PIPELINE}[build.features]\noracle = []\n"),
            &expect![
                "config/pipeline.toml is not right: `build.features.oracle` is for none of `build.backends`"
            ],
        );
    }

    #[test]
    fn an_empty_list_is_refused() {
        check(
            &PIPELINE.replace("[\"sqlite\", \"postgres\"]", "[]"),
            &expect!["config/pipeline.toml is not right: `build.backends` must name at least one"],
        );
    }
}
// template: end
