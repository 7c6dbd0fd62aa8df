//! The workflows of projects, some of which are nowhere in the template where its own gate would look.

use std::process::Command;

use tempfile::tempdir;

use crate::project::{NAME, render};
use crate::questions::Answers;
use crate::support::{clean, has, run};
use crate::{Outcome, Test};

/// What looks at them, as `cargo xtask check` has it.
const LINTS: [(&str, &[&str]); 2] =
    [("actionlint", &[]), ("zizmor", &["--offline", "--pedantic", "--quiet", "."])];

pub(crate) fn tests() -> Vec<Test> {
    let test = |(program, arguments): (&'static str, &'static [&str])| {
        let lacks = (!has(program)).then(|| format!("{program} is not installed"));
        let name = format!("{program} has nothing to say of a project");
        Test::new(name, move || is_good(program, arguments)).unless(lacks)
    };
    LINTS.into_iter().map(test).collect()
}

fn is_good(program: &str, arguments: &[&str]) -> Outcome {
    let folder = tempdir()?;
    let place = folder.path().join(NAME);
    render(&Answers::new(), &place);
    run(clean(Command::new("git")).args(["init", "--quiet"]).current_dir(&place));
    run(clean(Command::new(program)).args(arguments).current_dir(&place));
    Ok(())
}
