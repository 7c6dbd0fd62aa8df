//! Updates as pull requests. In place of gh is a script, and the hosting site is a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::chain::{chain, lines};
use crate::support::{Run, World, git};

/// Writes down what it is asked, lists what is in a file, and opens everything.
const GH: &str = r#"#!/bin/sh
cd SITE
echo "$*" >>asked
case "$2" in
list) cat listed 2>/dev/null || true ;;
create) cat >body; [ ! -e refused ] || { echo "not permitted" >&2; exit 1; }; echo https://example.com/pull/1 ;;
esac
"#;

/// A project with a hosting site.
struct Hosted {
    world: World,
    site: PathBuf,
}

impl Hosted {
    fn new() -> Self {
        let world = chain();
        let site = world.project().with_file_name("site");
        fs::create_dir_all(site.join("bin")).unwrap();
        let gh = site.join("bin/gh");
        fs::write(&gh, GH.replace("SITE", site.to_str().unwrap())).unwrap();
        fs::set_permissions(gh, fs::Permissions::from_mode(0o755)).unwrap();
        git(&site, &["init", "--quiet", "--bare", "repository.git"]);
        world.git(&["remote", "add", "origin", &at(&site, "repository.git")]);
        world.git(&["push", "--quiet", "origin", "main"]);
        Self { world, site }
    }

    fn run(&self) -> Run {
        let path = std::env::var("PATH").unwrap();
        let mut program = self.world.program(&["update", "--pull-request"]);
        self.world.ran(program.env("PATH", format!("{}:{path}", at(&self.site, "bin"))))
    }

    /// A file of the site.
    fn site(&self, name: &str) -> String {
        fs::read_to_string(self.site.join(name)).unwrap_or_default()
    }

    /// What git says in the repository of the site.
    fn there(&self, arguments: &[&str]) -> String {
        git(&self.site.join("repository.git"), arguments)
    }
}

fn at(site: &std::path::Path, name: &str) -> String {
    site.join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_later_version_becomes_a_pull_request_once() {
    let hosted = Hosted::new();
    let before = hosted.world.files();
    let Run { code, said } = hosted.run();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("v0.3.0 of the template is merged into the project"), "{said}");
    assert!(said.ends_with("https://example.com/pull/1\n"), "{said}");
    let created = "pr create --head template-v0.3.0 --title Update the template to v0.3.0 --body-file -\n";
    assert!(hosted.site("asked").ends_with(created), "{}", hosted.site("asked"));
    let log = hosted.there(&["log", "--format=%s", "template-v0.3.0"]);
    assert_eq!(log, "Update the template to v0.3.0\nmade\n");
    assert_eq!(hosted.there(&["show", "template-v0.3.0:added/here.txt"]), "new\n");
    assert!(hosted.site("body").contains("merged into the project"));

    // The checkout is as it was.
    assert_eq!(hosted.world.files(), before);
    assert_eq!(hosted.world.git(&["status", "--porcelain", "--branch"]), "## main\n");

    fs::write(hosted.site.join("listed"), "https://example.com/pull/1\n").unwrap();
    fs::write(hosted.site.join("asked"), "").unwrap();
    let Run { code, said } = hosted.run();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said, "there is a pull request for v0.3.0 of the template: https://example.com/pull/1\n");
    assert_eq!(hosted.site("asked").lines().count(), 1);
}

#[test]
fn conflicts_are_left_to_a_draft() {
    let hosted = Hosted::new();
    hosted.world.edit("a.txt", &lines(30).replace("line 3\n", "line III\n"));
    let Run { code, said } = hosted.run();
    assert_eq!(code, Some(0), "{said}");
    assert!(hosted.site("asked").ends_with("--body-file - --draft\n"), "{}", hosted.site("asked"));
    assert!(hosted.site("body").contains("conflict: a.txt\n"), "{}", hosted.site("body"));
    assert!(hosted.there(&["show", "template-v0.3.0:a.txt"]).contains("<<<<<<< HEAD\nline III\n"));
    assert_eq!(hosted.world.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_was_refused_is_tried_again() {
    let hosted = Hosted::new();
    fs::write(hosted.site.join("refused"), "").unwrap();
    let Run { code, said } = hosted.run();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("GitHub Actions can be allowed to create them: gh pr create: not permitted"),
        "{said}"
    );
    hosted.world.edit("mine.txt", "mine\n");
    fs::remove_file(hosted.site.join("refused")).unwrap();
    let Run { code, said } = hosted.run();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(hosted.there(&["show", "template-v0.3.0:mine.txt"]), "mine\n");

    hosted.world.succeed(&["update", "--silent"]);
    hosted.world.git(&["commit", "--quiet", "--message", "update"]);
    assert_eq!(hosted.run().said, "up to date: v0.3.0 of WORLD/template\n");
}
