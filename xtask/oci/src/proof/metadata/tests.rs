//! Lists of packages from workspaces that are made up.

use auditable_serde::DependencyKind;
use serde_json::{Value, json};

use super::*;

fn id(name: &str) -> String {
    match name {
        "app" | "tool" => format!("path+file:///src/{name}#1.0.0"),
        _ => format!("{CRATES_IO}#{name}@1.0.0"),
    }
}

/// A package with its features and its dependencies: name, kind, whether it is optional, features.
fn package(name: &str, features: Value, dependencies: &[(&str, Option<&str>, bool, &[&str])]) -> Value {
    let kind = if name.ends_with("macro") { "proc-macro" } else { "lib" };
    let dependency = |(name, kind, optional, features): &(&str, Option<&str>, bool, &[&str])| {
        json!({
            "name": name, "rename": null, "kind": kind, "optional": optional, "features": features,
            "uses_default_features": true, "req": "^1", "target": null,
        })
    };
    json!({
        "id": id(name), "name": name, "version": "1.0.0", "license": "MIT", "features": features,
        "source": (!id(name).starts_with("path")).then_some(CRATES_IO),
        "dependencies": dependencies.iter().map(dependency).collect::<Vec<_>>(),
        "targets": [{"kind": [kind]}, {"kind": ["custom-build"]}],
    })
}

/// What cargo resolves for the workspace: of every package, all dependencies and all features.
fn metadata(packages: &[Value], features_of_app: &[&str]) -> Vec<u8> {
    let node = |package: &Value| {
        let dependency = |it: &Value| {
            let name = it["name"].as_str().unwrap();
            json!({"name": name, "pkg": id(name), "dep_kinds": [{"kind": it["kind"], "target": null}]})
        };
        let deps: Vec<_> = package["dependencies"].as_array().unwrap().iter().map(dependency).collect();
        let all: Vec<_> = package["features"].as_object().unwrap().keys().cloned().collect();
        let features = if package["name"] == "app" { json!(features_of_app) } else { json!(all) };
        json!({"id": package["id"], "deps": deps, "features": features})
    };
    let nodes: Vec<_> = packages.iter().map(node).collect();
    let document = json!({
        "packages": packages, "workspace_members": [id("app"), id("tool")],
        "resolve": {"nodes": nodes, "root": null}, "version": 1,
    });
    document.to_string().into_bytes()
}

fn listed(metadata: &[u8], root: &str) -> Vec<(String, DependencyKind, Vec<String>)> {
    let list = Metadata::parse(metadata).unwrap().packages_of(root).unwrap();
    let name = |place: &usize| list.packages[*place].name.clone();
    let line = |package: &Package| {
        (package.name.clone(), package.kind, package.dependencies.iter().map(name).collect())
    };
    list.packages.iter().map(line).collect()
}

#[test]
fn macros_and_build_scripts_are_build_with_all_that_only_they_need() {
    let packages = [
        package(
            "app",
            json!({}),
            &[
                ("a-macro", None, false, &[]),
                ("shared", None, false, &[]),
                ("cc", Some("build"), false, &[]),
                ("mock", Some("dev"), false, &[]),
            ],
        ),
        package("a-macro", json!({}), &[("syn", None, false, &[]), ("shared", None, false, &[])]),
        package("cc", json!({}), &[("jobs", None, false, &[])]),
        package("jobs", json!({}), &[]),
        package("mock", json!({}), &[("app", None, false, &[])]),
        package("shared", json!({}), &[]),
        package("syn", json!({}), &[]),
    ];
    let words = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (build, runtime) = (DependencyKind::Build, DependencyKind::Runtime);
    assert_eq!(
        listed(&metadata(&packages, &[]), "app"),
        [
            ("a-macro".to_owned(), build, words(&["shared", "syn"])),
            ("app".to_owned(), runtime, words(&["a-macro", "cc", "shared"])),
            ("cc".to_owned(), build, words(&["jobs"])),
            ("jobs".to_owned(), build, vec![]),
            ("shared".to_owned(), runtime, vec![]),
            ("syn".to_owned(), build, vec![]),
        ]
    );
}

#[test]
fn what_only_another_member_asks_for_is_left_out() {
    let packages = [
        package("app", json!({"lite": ["sql/lite"], "pg": ["sql/pg"]}), &[("sql", None, false, &[])]),
        package("tool", json!({}), &[("sql", None, false, &["lite", "pg"])]),
        package(
            "sql",
            json!({"default": [], "lite": ["dep:sql-lite"], "pg": ["dep:sql-pg"]}),
            &[("sql-lite", None, true, &[]), ("sql-pg", None, true, &[])],
        ),
        package("sql-lite", json!({}), &[]),
        package("sql-pg", json!({}), &[]),
    ];
    let names = |features: &[&str], root| -> Vec<_> {
        listed(&metadata(&packages, features), root).into_iter().map(|(name, ..)| name).collect()
    };
    assert_eq!(names(&["lite"], "app"), ["app", "sql", "sql-lite"]);
    assert_eq!(names(&["pg"], "app"), ["app", "sql", "sql-pg"]);
    assert_eq!(names(&[], "app"), ["app", "sql"]);
    assert_eq!(names(&[], "tool"), ["sql", "sql-lite", "sql-pg", "tool"]);
}

#[test]
fn packages_say_where_they_come_from() {
    let packages = [package("app", json!({}), &[("dep", None, false, &[])]), package("dep", json!({}), &[])];
    let json = metadata(&packages, &[]);
    let metadata = Metadata::parse(&json).unwrap();
    let list = metadata.packages_of("app").unwrap();
    assert_eq!((&list.packages[0].source, list.packages[0].root), (&Source::Local, true));
    assert_eq!((&list.packages[1].source, list.packages[1].root), (&Source::CratesIo, false));
    assert_eq!(source("git+https://example.org/x?rev=1#abc"), Source::Git);
    assert_eq!(source("registry+https://example.org/index"), Source::Registry);
    assert_eq!(licences(&json).unwrap()[&("dep".to_owned(), "1.0.0".to_owned())], "MIT");
}

#[test]
fn what_cannot_be_used_is_named() {
    let message = |json: &[u8], root: &str| {
        let list = Metadata::parse(json).and_then(|metadata| metadata.packages_of(root));
        format!("{:#}", list.unwrap_err())
    };
    let good = metadata(&[package("app", json!({}), &[("dep", None, false, &[])])], &[]);
    assert_eq!(message(&good, "none"), "the workspace has no package `none`; it has app");
    assert!(message(&good, "app").starts_with("the metadata does not describe registry+"));
    let text = String::from_utf8(good).unwrap();
    let without = text.replace(r#""resolve":{"#, r#""resolve":null,"unknown":{"#);
    assert!(message(without.as_bytes(), "app").ends_with("without --no-deps"));
    assert!(message(b"{}", "app").starts_with("not the output of `cargo metadata --format-version 1`: "));
}
