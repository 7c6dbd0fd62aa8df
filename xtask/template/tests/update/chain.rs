//! Projects that follow their template over several versions.

use std::fs;

use crate::support::{World, git};

pub(crate) fn lines(count: usize) -> String {
    (1..=count).map(|number| format!("line {number}\n")).collect()
}

/// A template with three versions, and a project of the first.
pub(crate) fn chain() -> World {
    let world = World::new();
    world.write("a.txt", &lines(30));
    world.write("old/name.txt", &format!("renamed later\n{}", lines(20)));
    world.write("gone.txt", "deleted later\n");
    world.write("own.txt", "# template: line called {name}\ncalled template\n");
    world.release("0.1.0");
    world.make();

    world.write("a.txt", &lines(30).replace("line 3\n", "line three\n"));
    git(&world.template(), &["mv", "old/name.txt", "new.txt"]);
    world.write("added/here.txt", "new\n");
    world.release("0.2.0");

    world.write("a.txt", &lines(30).replace("line 3\n", "line three\n").replace("line 28\n", "line 28!\n"));
    fs::remove_file(world.template().join("gone.txt")).unwrap();
    world.ask(r#"colour = { type = "string", prompt = "Which colour?", choices = ["red", "blue"], default = "red" }"#);
    world.write("own.txt", "# template: line called {name}, {colour}\ncalled template\n");
    world.release("0.3.0");
    world
}

#[test]
fn versions_follow_each_other_and_edits_stay() {
    let world = chain();
    world.edit("a.txt", &lines(30).replace("line 15\n", "line 15, mine\n"));
    world.edit("old/name.txt", &format!("renamed later\n{}mine\n", lines(20)));
    world.edit("mine.txt", "mine\n");

    let said = world.succeed(&["update", "--to", "v0.2.0"]);
    assert!(said.contains("v0.2.0 of the template is merged into the project: 6 files changed"), "{said}");
    assert_eq!(world.read("new.txt"), format!("renamed later\n{}mine\n", lines(20)));
    assert!(!world.project().join("old").exists());
    assert_eq!(world.read("added/here.txt"), "new\n");
    assert!(world.read(".template.toml").contains("version = \"0.2.0\""));
    assert_eq!(world.git(&["log", "--format=%s", "-1"]), "edit\n", "nothing is committed");
    assert_eq!(world.git(&["diff", "--name-only"]), "", "all of it is in the index");
    world.git(&["commit", "--quiet", "--message", "update"]);

    let said = world.succeed(&["update", "--silent"]);
    assert!(said.contains("v0.3.0"), "{said}");
    let text = lines(30)
        .replace("line 3\n", "line three\n")
        .replace("line 15\n", "line 15, mine\n")
        .replace("line 28\n", "line 28!\n");
    assert_eq!(world.read("a.txt"), text);
    assert!(!world.project().join("gone.txt").exists());
    assert_eq!(world.read("own.txt"), "called shop, red\n");
    assert!(world.read(".template.toml").contains("colour = \"red\""));
    assert_eq!(world.read("mine.txt"), "mine\n");
    world.git(&["commit", "--quiet", "--message", "update"]);
    assert_eq!(world.succeed(&["update"]), "up to date: v0.3.0 of WORLD/template\n");
    assert_eq!(world.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main\n");
    assert_eq!(world.git(&["remote"]), "");
}

#[test]
fn what_is_behind_is_listed_and_nothing_changes() {
    let world = chain();
    let before = world.files();
    let expected = "\
v0.1.0 is behind: WORLD/template has v0.3.0
  modified .template.toml
  modified Cargo.toml
  modified a.txt
  added    added/here.txt
  deleted  gone.txt
  added    new.txt
  deleted  old/name.txt
  modified own.txt
`cargo xtask template update` brings that
";
    assert_eq!(world.fail(&["update", "--check"]), expected);
    assert_eq!(world.files(), before);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    world.succeed(&["update", "--silent"]);
    world.git(&["commit", "--quiet", "--message", "update"]);
    assert_eq!(world.succeed(&["update", "--check"]), "up to date: v0.3.0 of WORLD/template\n");
}

#[test]
fn conflicts_are_those_of_git_and_listed() {
    let world = chain();
    world.edit("a.txt", &lines(30).replace("line 3\n", "line III\n"));
    let said = world.fail(&["update", "--silent"]);
    assert!(said.contains("CONFLICT (content): Merge conflict in a.txt\nconflict: a.txt\n"), "{said}");
    let text = world.read("a.txt");
    let conflict = "<<<<<<< HEAD\nline III\n=======\nline three\n>>>>>>> template/v0.3.0\n";
    assert!(text.contains(conflict) && text.contains("line 28!"), "{text}");
    assert_eq!(world.git(&["diff", "--name-only", "--diff-filter=U"]), "a.txt\n");
    assert!(world.fail(&["update"]).contains("there are changes that are not committed"));
    world.git(&["reset", "--quiet", "--hard"]);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_file_that_is_deleted_here_and_changed_there_is_a_conflict() {
    let world = chain();
    fs::remove_file(world.project().join("a.txt")).unwrap();
    world.git(&["commit", "--quiet", "--all", "--message", "delete"]);
    let said = world.fail(&["update", "--silent"]);
    assert!(said.contains("CONFLICT (modify/delete): a.txt deleted in HEAD"), "{said}");
    assert!(world.git(&["status", "--porcelain"]).contains("DU a.txt"));
    assert!(world.read("a.txt").contains("line three"));
}

#[test]
fn files_with_other_ends_of_lines_keep_them() {
    let world = chain();
    world.edit("a.txt", &lines(30).replace("line 15\n", "mine\n").replace('\n', "\r\n"));
    world.succeed(&["update", "--to", "0.2.0"]);
    let expected = lines(30).replace("line 15\n", "mine\n").replace("line 3\n", "line three\n");
    assert_eq!(world.read("a.txt"), expected.replace('\n', "\r\n"));
    world.git(&["commit", "--quiet", "--message", "update"]);

    // As git on Windows has it: one in the work tree, the other in commits.
    world.git(&["config", "core.autocrlf", "true"]);
    fs::write(world.project().join(".gitattributes"), "* text=auto\n").unwrap();
    world.git(&["add", "--renormalize", "."]);
    world.git(&["add", "."]);
    world.git(&["commit", "--quiet", "--message", "normalise"]);
    world.succeed(&["update", "--silent"]);
    let expected = expected.replace("line 28\n", "line 28!\n").replace('\n', "\r\n");
    assert_eq!(world.read("a.txt"), expected);
    assert_eq!(world.git(&["diff", "--name-only"]), "");
}

#[test]
fn new_questions_are_asked() {
    use std::io::Write as _;
    use std::process::Stdio;
    let world = chain();
    let mut command = world.program(&["update"]);
    let mut run = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    run.stdin.take().unwrap().write_all(b"green\nblue\n").unwrap();
    let output = run.wait_with_output().unwrap();
    let asked = String::from_utf8(output.stderr).unwrap();
    let expected = "Which colour? (red, blue) [red] colour: there is no `green`; there is red, blue\n";
    assert!(asked.starts_with(expected), "{asked}");
    assert_eq!(world.read("own.txt"), "called shop, blue\n");
}

#[test]
fn a_project_in_a_folder_of_a_larger_repository_is_updated_there() {
    let world = chain();
    world.git(&["init", "--quiet", ".."]);
    fs::remove_dir_all(world.project().join(".git")).unwrap();
    let top = world.project().parent().unwrap().to_owned();
    fs::write(top.join(".gitignore"), "/template\n").unwrap();
    fs::write(top.join("a.txt"), "another\n").unwrap();
    for arguments in [&["config", "user.name", "a"][..], &["config", "user.email", "a@b"], &["add", "."]] {
        git(&top, arguments);
    }
    git(&top, &["commit", "--quiet", "--message", "all"]);
    world.succeed(&["update", "--silent"]);
    assert!(world.read("a.txt").contains("line 28!"));
    assert_eq!(fs::read_to_string(top.join("a.txt")).unwrap(), "another\n");
    assert!(!world.project().join("gone.txt").exists());
    assert!(git(&top, &["status", "--porcelain"]).contains("A  project/added/here.txt"));
}

#[test]
fn a_mirror_stays_the_source() {
    let world = chain();
    let mirror = world.project().parent().unwrap().join("mirror");
    git(&world.template(), &["clone", "--quiet", "--bare", ".", mirror.to_str().unwrap()]);
    let record = world.read(".template.toml");
    world.edit(".template.toml", &record.replace("/template\"", "/mirror\"").replace(" = ", "="));
    world.succeed(&["update", "--silent"]);
    let record = world.read(".template.toml");
    assert!(record.contains("/mirror\"") && record.contains("version = \"0.3.0\""), "{record}");
}

#[test]
fn files_of_ones_own_are_not_overwritten() {
    let world = chain();
    world.edit(".gitignore", "added\n");
    fs::create_dir(world.project().join("added")).unwrap();
    fs::write(world.project().join("added/here.txt"), "mine").unwrap();
    let said = world.fail(&["update", "--silent"]);
    assert!(said.contains("added/ is in the way of a new file of the template, added/here.txt"), "{said}");
    assert_eq!(world.read("added/here.txt"), "mine");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    fs::rename(world.project().join("added/here.txt"), world.project().join("added/other.txt")).unwrap();
    world.succeed(&["update", "--silent"]);
    assert_eq!(world.read("added/other.txt"), "mine");
}
