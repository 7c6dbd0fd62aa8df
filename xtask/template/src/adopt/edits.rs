//! Lines that are added to files which the project has. What stands there stays as it is, with its comments.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use toml::{Table, Value};

/// What runs the pipeline. Its packages are a workspace of their own, which the path leads to.
const ALIAS: &str = "xtask = \"run --quiet --locked --manifest-path xtask/Cargo.toml --\"";
/// The pipeline looks where the service was compiled to beside itself: both workspaces share a folder.
const TARGET: &str = "target-dir = \"target\" # xtask, a workspace of its own, shares it";
/// What is shipped.
const DIST: &str = "\
# What is shipped by `cargo xtask bdp --profile dist`: smaller and faster, several times slower to build.
[profile.dist]
inherits = \"release\"
codegen-units = 1
lto = \"fat\"
debug = \"line-tables-only\" # xtask puts it into a file beside the binary, for backtraces of what runs somewhere
strip = \"none\"
";

/// A file with lines added to it, and what they are, for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) text: String,
    pub(super) what: String,
}

/// Cargo's configuration with the alias `xtask`, unless there is one.
///
/// # Errors
/// It is not TOML, or has keys in a form in which nothing can be added.
pub(super) fn config(text: &str) -> Result<Option<Edit>> {
    let old: Table = toml::from_str(text).context("it is not right")?;
    let has = |table: &str, key: &str| old.get(table).and_then(|found| found.get(key)).is_some();
    ensure!(
        !has("alias", "xtask"),
        "its alias `xtask` is another one: rename that, since `cargo xtask` is what runs the pipeline"
    );
    let mut edit = Edit { text: add_to_table(text, "alias", ALIAS), what: "the alias `xtask`".to_owned() };
    if !has("build", "target-dir") {
        edit.text = add_to_table(&edit.text, "build", TARGET);
        edit.what += ", and the target folder, so that the pipeline shares it";
    }
    if toml::from_str::<Table>(&edit.text).is_err() {
        bail!(
            "nothing can be added to [alias] and [build] as they are written there; add there\n{ALIAS}\n{TARGET}"
        );
    }
    Ok(Some(edit))
}

/// The manifest of the workspace with the profile `dist`, and without new folders beside it among its members.
///
/// # Errors
/// As [`config`].
pub(super) fn manifest(text: &str, folders: &BTreeSet<&str>) -> Result<Option<Edit>> {
    let old: Table = toml::from_str(text).context("it is not right")?;
    let mut edit = Edit { text: text.to_owned(), what: String::new() };
    let members: Vec<_> = folders.iter().copied().filter(|folder| is_member(&old, folder)).collect();
    if !members.is_empty() {
        edit.text = exclude(&edit.text, &old, &members)?;
        edit.what = format!("{} excluded, which `members` would take in; ", members.join(", "));
    }
    if old.get("profile").and_then(|profile| profile.get("dist")).is_none() {
        edit.text = format!("{}\n\n{DIST}", edit.text.trim_end());
        edit.what += "the profile `dist`, for what is shipped";
    }
    toml::from_str::<Table>(&edit.text).context("nothing can be added to it as it is written")?;
    edit.what = edit.what.trim_end_matches("; ").to_owned();
    Ok((!edit.what.is_empty()).then_some(edit))
}

/// A list in `[workspace]`.
fn list<'a>(manifest: &'a Table, key: &str) -> impl Iterator<Item = &'a str> {
    let list = manifest.get("workspace").and_then(|workspace| workspace.get(key)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a pattern of the workspace's members takes in a folder beside its manifest, whatever is in it.
fn is_member(manifest: &Table, folder: &str) -> bool {
    let is_excluded = list(manifest, "exclude").any(|path| path.trim_end_matches('/') == folder);
    let mut patterns = list(manifest, "members").map(|pattern| pattern.trim_start_matches("./"));
    let fits = |pattern: &str| match pattern.split_once('*') {
        Some((before, after)) => {
            let after = after.trim_start_matches(['*', '/']);
            !before.contains('/') && folder.starts_with(before) && folder.ends_with(after)
        }
        None => false,
    };
    !is_excluded && patterns.any(fits)
}

fn exclude(text: &str, manifest: &Table, folders: &[&str]) -> Result<String> {
    let quoted = folders.iter().map(|folder| format!("{folder:?}")).collect::<Vec<_>>().join(", ");
    let line = text.lines().find(|line| line.trim_start().starts_with("exclude"));
    let edited = match line {
        Some(line) if list(manifest, "exclude").next().is_some() => {
            text.replacen(line, &line.replacen('[', &format!("[{quoted}, "), 1), 1)
        }
        Some(line) => text.replacen(line, &line.replacen('[', &format!("[{quoted}"), 1), 1),
        None => add_to_table(text, "workspace", &format!("exclude = [{quoted}]")),
    };
    let table: Table = toml::from_str(&edited).unwrap_or_default();
    ensure!(
        !folders.iter().any(|folder| is_member(&table, folder)),
        "its `members` take in folders that are none, which are going to be there: add {quoted} to `exclude` of \
         [workspace], and commit that"
    );
    Ok(edited)
}

/// A line after the head of a table, or with a new table at the end.
fn add_to_table(text: &str, table: &str, line: &str) -> String {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let head = format!("[{table}]");
    let is_head = |text: &&str| text.split('#').next().is_some_and(|text| text.trim() == head);
    let mut lines: Vec<_> = text.lines().collect();
    match lines.iter().position(is_head) {
        Some(at) => lines.insert(at + 1, line),
        None => {
            while lines.last().is_some_and(|line| line.trim().is_empty()) {
                lines.pop();
            }
            lines.extend((!lines.is_empty()).then_some(""));
            lines.extend([head.as_str(), line]);
        }
    }
    lines.join(ending) + ending
}

/// A list of what git leaves out, with cargo's target folder.
pub(super) fn ignored(text: &str) -> Edit {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let before = text.trim_end();
    let between = if before.is_empty() { "" } else { ending };
    Edit { text: format!("{before}{between}/target{ending}"), what: "the target folder".to_owned() }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(edit: Result<Option<Edit>>, expected: &Expect) {
        expected.assert_eq(&match edit {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(edit)) => format!("{}\n--- {}", edit.text, edit.what),
            Err(error) => format!("{error:#}"),
        });
    }

    #[test]
    fn the_configuration_keeps_what_it_has() {
        check(
            config(""),
            &expect![[r#"
            [alias]
            xtask = "run --quiet --locked --manifest-path xtask/Cargo.toml --"

            [build]
            target-dir = "target" # xtask, a workspace of its own, shares it

            --- the alias `xtask`, and the target folder, so that the pipeline shares it"#]],
        );
        check(
            config(
                "# ours\n[alias] # short\nb = \"build\"\n\n[build]\ntarget-dir = \"/big\"\n\n[env]\nA = \"1\"",
            ),
            &expect![[r#"
                # ours
                [alias] # short
                xtask = "run --quiet --locked --manifest-path xtask/Cargo.toml --"
                b = "build"

                [build]
                target-dir = "/big"

                [env]
                A = "1"

                --- the alias `xtask`"#]],
        );
        check(
            config("[alias]\nxtask = \"run -p tasks --\"\n"),
            &expect![
                "its alias `xtask` is another one: rename that, since `cargo xtask` is what runs the pipeline"
            ],
        );
        check(
            config("alias.b = \"build\"\n"),
            &expect![[r#"
            nothing can be added to [alias] and [build] as they are written there; add there
            xtask = "run --quiet --locked --manifest-path xtask/Cargo.toml --"
            target-dir = "target" # xtask, a workspace of its own, shares it"#]],
        );
    }

    #[test]
    fn the_manifest_keeps_what_it_has() {
        let folders = BTreeSet::from(["config", "xtask"]);
        for (text, excluded) in [
            ("[package]\nname = \"a\"\n", &[][..]),
            ("[workspace]\nmembers = [\"crates/*\", \"a*\"]\n", &[]),
            ("[workspace] # all\nmembers = [\"*\"]\n", &["config", "xtask"]),
            ("[workspace]\nmembers = [\"./*\"]\nexclude = [\n  \"old\",\n]\n", &["config", "xtask", "old"]),
            ("[workspace]\nmembers = [\"*\"]\nexclude = [\"config\"]\n", &["xtask", "config"]),
            ("[workspace]\nmembers = [\"x*\"]\nexclude = []\n", &["xtask"]),
        ] {
            let edit = manifest(text, &folders).unwrap().unwrap();
            let table: Table = toml::from_str(&edit.text).unwrap();
            assert_eq!(list(&table, "exclude").collect::<Vec<_>>(), excluded, "{text}");
            assert_eq!(table["profile"]["dist"]["inherits"].as_str(), Some("release"));
            let kept = text.lines().filter(|line| !line.starts_with("exclude"));
            assert!(kept.into_iter().all(|line| edit.text.contains(line)));
        }
        check(manifest("[profile.dist]\ninherits = \"dev\"\n", &folders), &expect!["nothing"]);
    }

    #[test]
    fn the_target_folder_comes_last() {
        assert_eq!(ignored("").text, "/target\n");
        assert_eq!(ignored("/data\r\n\r\n").text, "/data\r\n/target\r\n");
    }
}
