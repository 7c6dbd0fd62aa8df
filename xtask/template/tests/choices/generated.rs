//! What cargo-generate makes is what `cargo xtask init` makes, to the byte: asked nothing, and asked everything.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::builds::name;
use crate::pairs::covering;
use crate::project::{File, NAME, files, rendered, root};
use crate::questions::{Answers, Kind, Question, Questions, shown};
use crate::support::{clean, has, run};
use crate::terminal::Terminal;
use crate::{Outcome, Test};

pub(crate) fn tests(questions: &Questions) -> Vec<Test> {
    let lacks = || (!has("cargo-generate")).then(|| "cargo-generate is not installed".to_owned());
    let from = ["--path", "--git"].into_iter().cycle();
    let silent = [Answers::new(), Answers::new()].into_iter().chain(covering(questions)).zip(from);
    let silent = silent.map(|(answers, from)| {
        let name = format!("cargo-generate {from}: {}", name(&answers));
        Test::new(name, move || asked_nothing(from, &answers)).unless(lacks())
    });
    let questions = questions.clone();
    let asked = Test::new("cargo-generate asks what is to be chosen", move || asked_everything(&questions));
    silent.chain([asked.unless(lacks().or_else(lacks_keys))]).collect()
}

/// Later versions ask in another way.
fn lacks_keys() -> Option<String> {
    if !has("script") {
        return Some("script, of util-linux, is not installed".to_owned());
    }
    let version = run(Command::new("cargo-generate").args(["generate", "--version"]));
    (!version.contains(" 0.23.")).then(|| format!("{} is not 0.23, whose keys are known", version.trim()))
}

/// The template as it is, committed; made once.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join("choices/template");
        let _ = fs::remove_dir_all(&template);
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = run(Command::new("git").args(list).current_dir(root()));
        for path in listed.split('\0').filter(|path| root().join(path).is_file()) {
            let to = template.join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root().join(path), to).unwrap();
        }
        let git = |args: &[&str]| run(Command::new("git").args(args).current_dir(&template));
        git(&["init", "--quiet"]);
        git(&["add", "--all"]);
        git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a"]);
        template
    })
}

/// Where a project is made.
struct Place(TempDir);

impl Place {
    /// cargo-generate, which is to make the project here.
    fn generate(&self, from: &str) -> Command {
        let folder = self.0.path();
        let mut generate = clean(Command::new("cargo"));
        generate.args(["generate", from]).arg(template());
        generate.args(["--name", NAME, "--vcs", "none", "--destination"]).arg(folder);
        generate.current_dir(folder);
        generate
    }

    fn made(&self) -> BTreeMap<String, File> {
        files(&self.0.path().join(NAME))
    }
}

fn asked_nothing(from: &str, answers: &Answers) -> Outcome {
    let place = Place(tempfile::tempdir()?);
    let mut generate = place.generate(from);
    for answer in shown(answers) {
        generate.args(["--define", &answer]);
    }
    run(generate.arg("--silent"));
    are_same(&place.made(), &rendered(answers));
    Ok(())
}

fn are_same(made: &BTreeMap<String, File>, expected: &BTreeMap<String, File>) {
    assert_eq!(made.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let different = made.iter().find(|(path, file)| expected[*path] != **file);
    assert!(different.is_none(), "{:?} differs", different.map(|(path, _)| path));
}

/// Of each choice the last is taken, by the keys that people press.
fn asked_everything(questions: &Questions) -> Outcome {
    let place = Place(tempfile::tempdir()?);
    let mut terminal = Terminal::run(&place.generate("--path"));
    let mut answers = Answers::new();
    for question in &questions.0 {
        terminal.wait_for(&question.prompt)?;
        terminal.press(&keys(question))?;
        answers.insert(question.name.clone(), question.values.last().cloned().into_iter().collect());
    }
    terminal.end()?;
    are_same(&place.made(), &rendered(&answers));
    Ok(())
}

/// What is pressed for the last value: `j` goes one further down, and a blank chooses or does not choose.
fn keys(question: &Question) -> String {
    let last = question.values.last().unwrap();
    let keys = match question.kind {
        Kind::Text => last.clone(),
        Kind::One => {
            let is_default = |value: &String| question.default.contains(value);
            "j".repeat(question.values.iter().rev().position(is_default).unwrap())
        }
        Kind::Some => {
            let turns = |value: &String| question.default.contains(value) != (value == last);
            question.values.iter().map(|value| if turns(value) { " j" } else { "j" }).collect()
        }
    };
    format!("{keys}\r")
}
