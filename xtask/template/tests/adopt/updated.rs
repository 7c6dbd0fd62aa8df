//! A project that has adopted the pipeline follows its template.

use std::fs;
use std::process::Command;

use super::support::{Project, root};

/// The template in a repository of its own, in its version and a later one in which these files are others.
fn template(later: &[(&str, &str)]) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    for path in
        String::from_utf8(listed.stdout).unwrap().split('\0').filter(|path| root().join(path).is_file())
    {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(root().join(path), place).unwrap();
    }
    let template = Project(folder);
    let version = env!("CARGO_PKG_VERSION");
    template.run("git init --quiet");
    template.commit();
    template.run(&format!("git tag v{version}"));
    let manifest = template.read("Cargo.toml");
    let next = manifest.replacen(&format!("version = \"{version}\""), "version = \"99.0.0\"", 1);
    template.write("Cargo.toml", &next);
    for (path, text) in later {
        template.write(path, text);
    }
    template.commit();
    template.run("git tag v99.0.0");
    template
}

fn update(project: &Project) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-template"));
    let output = command.args(["update", "--silent"]).current_dir(project.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn only_what_was_adopted_is_brought_up_to_date() {
    let template = template(&[
        ("xtask/src/later.rs", "//! Later.\n"),
        ("deny.toml", "# later\n"),
        ("Dockerfile", "FROM later\n"),
        ("app/src/main.rs", "fn main() {}\n"),
        ("docs/later.md", "# Later\n"),
    ]);
    let project = Project::workspace();
    project.adopted(&[]);
    let record = project.read(".template.toml");
    let line = record.lines().find(|line| line.starts_with("source = ")).unwrap();
    let here = format!("source = {:?}", template.path().display().to_string());
    project.write(".template.toml", &record.replace(line, &here));
    project.write("crates/server/src/lib.rs", "//! Since then.\n");
    project.commit();

    update(&project);
    let changed = project.run("git diff --cached --name-only");
    let expected = [".template.toml", "deny.toml", "xtask/Cargo.toml", "xtask/src/later.rs"]
        .map(|path| format!("{path}\n"));
    assert_eq!(changed, expected.concat());
    assert_eq!(project.read("Dockerfile"), "FROM scratch\n", "it is the project's own");
    assert!(project.read(".template.toml").contains("version = \"99.0.0\""));
    assert!(project.read(".template.toml").contains("[adopted]\n"), "it stays");
}
