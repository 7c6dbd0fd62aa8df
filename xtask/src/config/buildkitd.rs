//! `config/buildkitd.toml`: how the daemons of the builder work, in BuildKit's
//! [own words](https://docs.docker.com/build/buildkit/toml-configuration).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use toml::{Table, Value};

use super::Pipeline;

/// Where the file is, from the workspace root.
const PATH: &str = "config/buildkitd.toml";

/// Reads the file of the workspace at `root`, and adds the mirrors and the registries without TLS that `pipeline` has.
/// Nobody needs the file.
///
/// # Errors
/// It is no TOML, or tables of registries are something else.
pub(super) fn read(root: &Path, pipeline: &Pipeline) -> Result<Table> {
    let text = match fs::read_to_string(root.join(PATH)) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        text => text.with_context(|| format!("cannot read {PATH}"))?,
    };
    merge(&text, pipeline).with_context(|| format!("{PATH} is not right"))
}

/// For a mirror comes first what the pipeline says; all else of the file stays.
fn merge(text: &str, pipeline: &Pipeline) -> Result<Table> {
    let mut file = text.parse::<Table>()?;
    for (registry, mirror) in &pipeline.mirrors.registries {
        let mirrors = entry(&mut file, registry)?.entry("mirrors").or_insert_with(|| Value::Array(vec![]));
        let Value::Array(mirrors) = mirrors else {
            bail!("`registry.\"{registry}\".mirrors` must be a list");
        };
        let mirror = Value::String(mirror.clone());
        mirrors.retain(|other| *other != mirror);
        mirrors.insert(0, mirror);
    }
    for registry in &pipeline.registries.insecure {
        entry(&mut file, registry)?.insert("http".to_owned(), Value::Boolean(true));
    }
    Ok(file)
}

/// The table of a registry.
fn entry<'a>(file: &'a mut Table, registry: &str) -> Result<&'a mut Table> {
    let empty = || Value::Table(Table::new());
    let registries = file.entry("registry").or_insert_with(empty).as_table_mut();
    let registries = registries.ok_or_else(|| anyhow!("`registry` must be a table"))?;
    let entry = registries.entry(registry).or_insert_with(empty).as_table_mut();
    entry.ok_or_else(|| anyhow!("`registry.\"{registry}\"` must be a table"))
}
// template: if pipeline_tests

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::config::fixture::PIPELINE;

    fn merged(file: &str, more: &str) -> Result<Table> {
        merge(file, &Pipeline::parse(&format!("{PIPELINE}{more}")).unwrap())
    }

    const MIRRORS: &str = "[registries]\ninsecure = ['m.example:5000']\n\
                           [mirrors]\n'docker.io' = 'm.example:5000/hub'\ncrates-io = 'sparse+https://m.example/'";

    fn check(result: Result<Table>, expected: &Expect) {
        expected.assert_eq(&result.map_or_else(|error| error.to_string(), |table| table.to_string()));
    }

    #[test]
    fn the_file_of_this_repository_is_right() {
        let text = include_str!("../../../config/buildkitd.toml");
        let file = merged(text, "").unwrap();
        assert_eq!(file, text.parse::<Table>().unwrap());
        assert!(file["worker"]["oci"]["gcpolicy"].as_array().is_some_and(|rules| !rules.is_empty()));
    }

    #[test]
    fn what_the_pipeline_says_of_registries_is_merged_in() {
        let file = "[worker.oci]\nmax-parallelism = 4\n\
                    [registry.'docker.io']\nmirrors = ['old.example', 'm.example:5000/hub']\nca = ['ca.pem']\n";
        check(
            merged(file, MIRRORS),
            &expect![[r#"
            [registry."docker.io"]
            ca = ["ca.pem"]
            mirrors = ["m.example:5000/hub", "old.example"]

            [registry."m.example:5000"]
            http = true

            [worker.oci]
            max-parallelism = 4
        "#]],
        );
        check(
            merged("", MIRRORS),
            &expect![[r#"
            [registry."docker.io"]
            mirrors = ["m.example:5000/hub"]

            [registry."m.example:5000"]
            http = true
        "#]],
        );
        check(merged("", ""), &expect![[""]]);
    }

    #[test]
    fn tables_that_are_none_are_named() {
        check(merged("registry = 1", MIRRORS), &expect!["`registry` must be a table"]);
        check(
            merged("registry.'docker.io' = 1", MIRRORS),
            &expect![[r#"`registry."docker.io"` must be a table"#]],
        );
        check(
            merged("registry.'docker.io'.mirrors = 'm'", MIRRORS),
            &expect![[r#"`registry."docker.io".mirrors` must be a list"#]],
        );
    }
}
// template: end
