//! Every choice is a project that compiles without a warning: code that nothing uses is a trace of what was not chosen.

use std::fs;

use serde::Deserialize;

use crate::project::Project;
use crate::questions::{Answers, Questions, shown};
use crate::support::run;
use crate::{Outcome, Test};

/// What cargo is asked of every project.
const CHECK: [&str; 4] = ["check", "--locked", "--offline", "--all-targets"];

pub(crate) fn tests(questions: &Questions) -> Vec<Test> {
    let test = |answers: Answers| {
        let name = format!("builds: {}", name(&answers));
        Test::slow(name, move || compiles(&Project::of(&answers)))
    };
    questions.one_by_one().into_iter().map(test).collect()
}

/// Answers as the name of a test.
pub(crate) fn name(answers: &Answers) -> String {
    if answers.is_empty() { "defaults".to_owned() } else { shown(answers).join(" ") }
}

fn compiles(project: &Project) -> Outcome {
    run(&mut project.program("cargo", &["metadata", "--locked", "--offline", "--format-version=1"]));
    has_no_warning(project, &["--workspace"])?;
    for backend in backends(project) {
        let feature = format!("db_{backend}");
        has_no_warning(project, &["--package", "app", "--no-default-features", "--features", &feature])?;
    }
    Ok(())
}

/// cargo repeats warnings of what it has compiled before.
fn has_no_warning(project: &Project, which: &[&str]) -> Outcome {
    let output = project.program("cargo", &CHECK).args(which).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_good = output.status.success() && !said.lines().any(|line| line.starts_with("warning"));
    if is_good { Ok(()) } else { Err(format!("cargo check {}:\n{said}", which.join(" ")).into()) }
}

#[derive(Deserialize)]
struct Pipeline {
    build: Build,
}

#[derive(Deserialize)]
struct Build {
    backends: Vec<String>,
}

/// The databases of a project.
pub(crate) fn backends(project: &Project) -> Vec<String> {
    let text = fs::read_to_string(project.folder.join("config/pipeline.toml")).unwrap();
    toml::from_str::<Pipeline>(&text).unwrap().build.backends
}
