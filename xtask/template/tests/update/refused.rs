//! Updates that cannot be, and what is said about them.

use std::fs;

use crate::support::{World, git};

fn world() -> World {
    let world = World::new();
    world.write("a.txt", "1\n");
    world.release("0.1.0");
    world.make();
    world.write("a.txt", "2\n");
    world.release("0.2.0");
    world
}

/// Checks that nothing is changed, and how the refusal begins.
fn check(world: &World, arguments: &[&str], expected: &[&str]) {
    let before = world.files();
    let said = world.fail(arguments);
    for part in expected {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(world.files(), before);
}

#[test]
fn changes_that_are_not_committed() {
    let world = world();
    fs::write(world.project().join("new.txt"), "new\n").unwrap();
    let expected = ["are not committed", "git stash --include-untracked", "?? new.txt"];
    check(&world, &["update"], &expected);
    check(&world, &["update", "--check"], &["v0.1.0 is behind"]);
}

#[test]
fn no_repository_and_no_commit() {
    let world = world();
    fs::remove_dir_all(world.project().join(".git")).unwrap();
    check(&world, &["update"], &["is in no work tree of git", "`git init`, and commit first"]);
    git(&world.project(), &["init", "--quiet"]);
    fs::remove_dir_all(world.project().join(".git/hooks")).unwrap();
    check(&world, &["update"], &["there is no commit yet"]);
}

#[test]
fn versions_that_are_gone_or_never_were() {
    let world = world();
    let expected = ["has no version v9.0.0, or not any more; it has v0.2.0, v0.1.0"];
    check(&world, &["update", "--to", "9.0.0"], &expected);
    check(&world, &["update", "--to", "next"], &["`next` is no version, such as v1.2.3"]);
    git(&world.template(), &["tag", "--delete", "v0.1.0"]);
    check(
        &world,
        &["update"],
        &["has no version v0.1.0", "`version` in .template.toml can name the nearest"],
    );
    check(&world, &["diff"], &["has no version v0.1.0"]);
}

#[test]
fn a_template_that_does_not_answer() {
    let world = world();
    fs::rename(world.template(), world.template().with_extension("away")).unwrap();
    check(&world, &["update"], &["WORLD/template does not answer; is there a network?"]);
}

#[test]
fn a_record_that_is_missing_or_broken() {
    let world = world();
    let record = world.read(".template.toml");
    for (from, to, expected) in [
        ("version = \"0.1.0\"", "version = 1", "is broken"),
        ("name = \"shop\"", "name = \"Shop\"", "the name `Shop` has 'S' in it"),
        ("backends = [\"sqlite\"]", "backends = [\"oracle\"]", "backends: there is no `oracle`"),
        ("image = \"shop\"\n", "", "there is no answer to `image`"),
    ] {
        world.edit(".template.toml", &record.replace(from, to));
        check(&world, &["update"], &[expected, "git log -p"]);
    }
    fs::remove_file(world.project().join(".template.toml")).unwrap();
    world.git(&["commit", "--quiet", "--all", "--message", "remove"]);
    check(&world, &["update"], &["cannot be read", "git checkout COMMIT^ -- .template.toml"]);
}

#[test]
fn a_template_with_a_mistake() {
    let world = world();
    git(&world.template(), &["tag", "v0.4.0"]);
    check(&world, &["update"], &["tag v0.4.0 has version 0.2.0 in it", "use another with `--to`"]);
    world.write("a.txt", "# template: when later\n");
    world.release("0.5.0");
    let expected =
        ["v0.5.0 of the template is not understood here", "a.txt: line 1", "`--to` an earlier one"];
    check(&world, &["update"], &expected);
}

#[test]
fn another_git_at_work() {
    let world = world();
    let lock = world.project().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    check(&world, &["update"], &["another git is at work", "Nothing is changed"]);
    fs::remove_file(&lock).unwrap();
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    world.succeed(&["update"]);
}

#[test]
fn what_a_killed_update_has_locked() {
    let world = world();
    world.succeed(&["update"]);
    let (own, git) = (world.project().join(".git/xtask-template"), world.project().join(".git"));
    let tree = world.git(&["write-tree"]);
    let head = world.git(&["rev-parse", "HEAD"]);
    let note = format!(
        "to = \"0.2.0\"\nhead = \"{}\"\ntree = \"{}\"\nstages = []\nmessages = []\n",
        head.trim(),
        tree.trim()
    );
    // Killed amid putting the index into its place: the lock is ours.
    fs::copy(git.join("index"), own.join("index")).unwrap();
    world.git(&["reset", "--quiet", "--hard"]);
    fs::write(own.join("update.toml"), &note).unwrap();
    fs::copy(own.join("index"), git.join("index.lock")).unwrap();
    assert!(world.succeed(&["update"]).starts_with("v0.2.0 of the template is merged"));

    // Killed amid files, one of which somebody has edited since.
    fs::write(own.join("update.toml"), &note).unwrap();
    fs::write(world.project().join("a.txt"), "mine\n").unwrap();
    assert!(world.fail(&["update", "--check"]).contains("an update to v0.2.0 was interrupted"));
    assert!(world.fail(&["diff"]).contains("an update to v0.2.0 was interrupted"));
    check(&world, &["update"], &["a.txt was changed after the update to v0.2.0 was interrupted"]);
    fs::write(world.project().join("a.txt"), "2").unwrap();
    assert!(world.succeed(&["update"]).contains("was interrupted, and is finished now"));
    assert_eq!(world.read("a.txt"), "2\n");
    assert!(!own.join("update.toml").exists());
}

#[test]
fn a_shallow_clone_is_enough() {
    let world = world();
    world.edit("mine.txt", "mine\n");
    let clone = world.project().with_extension("clone");
    let url = format!("file://{}", world.project().display());
    git(&world.template(), &["clone", "--quiet", "--depth=1", &url, clone.to_str().unwrap()]);
    fs::remove_dir_all(world.project()).unwrap();
    fs::rename(clone, world.project()).unwrap();
    world.succeed(&["update"]);
    assert_eq!((world.read("a.txt"), world.read("mine.txt")), ("2\n".to_owned(), "mine\n".to_owned()));
}
