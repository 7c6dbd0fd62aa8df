//! How far projects have moved.

use std::fs;

use crate::support::World;

#[test]
fn what_is_changed_and_by_whom_is_listed() {
    let world = World::new();
    for path in ["a.txt", "b.txt", "c.txt", "d.txt"] {
        world.write(path, "1\n2\n");
    }
    world.release("0.1.0");
    world.make();
    assert_eq!(
        world.succeed(&["diff"]),
        "v0.1.0 of WORLD/template\nno file of the template is changed\nfiles of the project's own: 0\n"
    );

    world.edit("a.txt", "1\n3\n4\n");
    world.git(&["config", "user.name", "Brook"]);
    world.edit("a.txt", "1\n4\n5\n");
    world.edit("own.txt", "mine\n");
    fs::remove_file(world.project().join("b.txt")).unwrap();
    world.git(&["commit", "--quiet", "--all", "--message", "delete"]);
    fs::write(world.project().join("c.txt"), "1\n").unwrap();
    let expected = "\
v0.1.0 of WORLD/template
  +2 -1       a.txt  (Ada, Brook)
  deleted     b.txt  (Brook)
  +0 -1       c.txt  (not committed)
files of the project's own: 1
";
    assert_eq!(world.succeed(&["diff"]), expected);
}

#[test]
fn a_hook_of_git_is_told_the_same() {
    let world = World::new();
    world.write("a.txt", "1\n");
    world.release("0.1.0");
    world.make();
    let own = world.project().join(".git");
    let mut program = world.program(&["diff"]);
    program
        .env("GIT_DIR", &own)
        .env("GIT_WORK_TREE", world.project())
        .env("GIT_INDEX_FILE", own.join("index"));
    let run = world.ran(&mut program);
    assert_eq!(run.code, Some(0), "{}", run.said);
    assert_eq!(run.said, world.succeed(&["diff"]));
}
