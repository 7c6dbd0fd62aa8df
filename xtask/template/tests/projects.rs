//! Projects made of this repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Files of the template that no project has.
const ONLY_HERE: [&str; 16] = [
    ".ci/",
    ".github/workflows/template.yml",
    "cargo-generate.toml",
    "docs/adopting.md",
    "docs/getting-started.md",
    "docs/template.md",
    "template/",
    "xtask/bench/generate",
    "xtask/template/src/adopt/",
    "xtask/template/src/conditions.rs",
    "xtask/template/src/folder.rs",
    "xtask/template/src/init.rs",
    "xtask/template/src/lock.rs",
    "xtask/template/src/pack.rs",
    "xtask/template/src/rhai.rs",
    "xtask/template/tests/",
];
/// What a mark begins with.
const MARK: &str = "template: ";
/// The mark before what only the template has.
const ONLY_IN_TEMPLATE: &str = "template: if is_template";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn template(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask-template")).current_dir(folder).args(arguments).output().unwrap()
}

fn run(folder: &Path, command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A project made into a folder.
fn project(answers: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("project");
    let arguments = [&["render", "--silent"], answers, &[place.to_str().unwrap()]].concat();
    let output = template(root(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// A clone of the template as it is now.
fn clone() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, _) in files(root()) {
        let place = folder.path().join(&path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(root().join(&path), place).unwrap();
    }
    run(
        folder.path(),
        "git init --quiet && git add --all && git -c user.name=a -c user.email=a@b commit -qm a",
    );
    folder
}

/// The files that git has or would have, without the record of where they come from.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    if !folder.join(".git").exists() {
        run(folder, "git init --quiet");
    }
    let listed = run(folder, "git ls-files -z --cached --others --exclude-standard");
    let paths = listed.split('\0').filter(|path| !path.is_empty() && folder.join(path).is_file());
    paths.map(|path| (path.to_owned(), fs::read(folder.join(path)).unwrap())).collect()
}

/// A file of the template without its marks and what is only for the template.
fn without_marks(text: &str) -> String {
    let (mut out, mut is_only_here) = (String::new(), false);
    let comments = ["# ", "// ", "-- ", "<!-- "];
    for line in text.split_inclusive('\n') {
        let is_mark = comments.iter().any(|comment| {
            line.trim_start().strip_prefix(comment).is_some_and(|rest| rest.starts_with(MARK))
        });
        let at_its_end = comments.iter().find_map(|comment| line.find(&format!(" {comment}{MARK}if ")));
        match at_its_end {
            _ if is_mark => {
                is_only_here = line.contains(ONLY_IN_TEMPLATE);
                if line.contains("add {description}.") {
                    out.push_str("The service: notes over HTTP.\n");
                }
            }
            Some(_) if line.contains(ONLY_IN_TEMPLATE) => {}
            Some(at) => {
                out.push_str(line[..at].trim_end());
                out.push('\n');
            }
            _ if is_only_here => {}
            _ => out.push_str(line),
        }
    }
    out
}

#[test]
fn with_the_templates_own_name_and_all_options_it_is_the_template() {
    let repository = concat!("repository=", env!("CARGO_PKG_REPOSITORY"));
    let all = [
        "--name",
        "galley",
        "-d",
        "media=true",
        "-d",
        "kitchen=true",
        "-d",
        "pipeline_tests=true",
        "-d",
        repository,
    ];
    let folder = project(&all);
    let mut project = files(&folder.path().join("project"));
    assert!(project.remove(".template.toml").is_some());
    let is_here_only = |path: &str| ONLY_HERE.iter().any(|entry| path.starts_with(entry));
    for (path, bytes) in files(root()).into_iter().filter(|(path, _)| !is_here_only(path)) {
        let made = project.remove(&path).unwrap_or_else(|| panic!("{path} is missing"));
        if path == "Cargo.lock" {
            continue; // without the package of the template; cargo says below that it is right
        }
        match (String::from_utf8(bytes), String::from_utf8(made)) {
            (Ok(here), Ok(made)) => {
                let different = made
                    .lines()
                    .zip(without_marks(&here).lines())
                    .find(|(a, b)| a != b)
                    .map(|(a, b)| (a.to_owned(), b.to_owned()));
                assert_eq!(different, None, "{path}");
                assert_eq!(made.lines().count(), without_marks(&here).lines().count(), "{path}");
            }
            (here, made) => assert!(here.is_err() && made.is_err(), "{path}"),
        }
    }
    for (path, bytes) in files(root()) {
        if let Some(path) = path.strip_prefix("template/files/").filter(|path| *path != "Cargo.lock") {
            assert!(project.remove(path) == Some(bytes), "{path}");
        }
    }
    assert_eq!(project.keys().collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn what_is_made_for_cargo_generate_is_up_to_date() {
    let output = template(root(), &["pack", "--check"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_lock_file_is_right_for_every_set_of_databases() {
    for databases in ["sqlite", "postgres", "mysql", "sqlite,postgres", "sqlite,mysql", "postgres,mysql"] {
        let folder = project(&["--name", "shop", "--define", &format!("backends={databases}")]);
        run(&folder.path().join("project"), "cargo metadata --locked --offline --format-version=1");
    }
}

#[test]
fn a_clone_becomes_the_same_project() {
    let answers = ["--name", "web-shop", "--define", "backends=postgres", "--define", "licence=MIT"];
    let made = project(&answers);
    let clone = clone();
    let output = template(clone.path(), &[&["init", "--silent"], &answers[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (here, there) = (files(clone.path()), files(&made.path().join("project")));
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (path, bytes) in here {
        assert!(there[&path] == bytes, "{path} differs");
    }
    assert!(!clone.path().join("xtask/template/tests").exists(), "folders without files are gone");

    let again = template(clone.path(), &["init", "--silent", "--name", "shop"]);
    let error = String::from_utf8_lossy(&again.stderr);
    assert!(error.contains("was made into a project before"), "{error}");
}

#[test]
fn every_question_is_in_the_documentation() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let settings: toml::Table = toml::from_str(&read("cargo-generate.toml")).unwrap();
    let documentation = read("docs/getting-started.md");
    let questions = settings["placeholders"].as_table().unwrap();
    assert!(questions.len() > 8, "there are questions");
    for question in questions.keys() {
        assert!(documentation.contains(&format!("| `{question}` |")), "{question}");
    }
}

#[test]
fn what_git_does_not_have_is_not_overwritten() {
    let clone = clone();
    fs::write(clone.path().join("README.md"), "mine").unwrap();
    let output = template(clone.path(), &["init", "--silent", "--name", "shop"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("there are changes that git does not have"), "{error}");
    assert_eq!(fs::read_to_string(clone.path().join("README.md")).unwrap(), "mine");
}

#[test]
fn questions_are_asked_until_they_are_answered() {
    let clone = clone();
    let answers = "Shop\nshop\n\noracle\nsqlite\n";
    let command = format!("printf '{answers}' | {} init", env!("CARGO_BIN_EXE_xtask-template"));
    let output = Command::new("sh").args(["-c", &command]).current_dir(clone.path()).output().unwrap();
    let asked = String::from_utf8_lossy(&output.stderr);
    for expected in [
        "What is the project called? the name `Shop` has 'S' in it: it takes a to z, 0 to 9 and dashes, such as `shop`",
        "What is the service, in a line? [The service: notes over HTTP] ",
        "(sqlite, postgres, mysql) [sqlite,postgres,mysql] backends: there is no `oracle`; there is sqlite, postgres, mysql",
        "error: nobody answers; --silent takes the defaults",
    ] {
        assert!(asked.contains(expected), "{asked}");
    }
    assert_eq!(run(clone.path(), "git status --porcelain"), "");
}
