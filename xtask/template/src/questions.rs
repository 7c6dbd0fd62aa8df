//! The answers: those that there are, or asked.

use std::io::{BufRead as _, Write as _};

use anyhow::{Context as _, Result, bail, ensure};

use crate::answers::{Answers, Value};
use crate::template::{Kind, Question, Template};

/// These answers, and those to the questions that they leave open or have no possible answer to. They are asked, or the
/// defaults.
///
/// # Errors
/// Nobody is there to answer.
pub(crate) fn complete(template: &Template, given: &Answers, silent: bool) -> Result<Answers> {
    let mut answers = Answers::from([("name", given.get("name")?.clone())]);
    for question in &template.questions {
        let known = given.get(&question.name).ok();
        let refused = known.and_then(|answer| question.check(answer).err());
        if let Some(error) = &refused {
            say(&format!("{error:#}"));
        }
        let answer = match known {
            Some(answer) if refused.is_none() => answer.clone(),
            _ if silent => question.default.clone(),
            _ => answer(question)?,
        };
        answers.insert(&question.name, answer);
    }
    Ok(answers)
}

fn answer(question: &Question) -> Result<Value> {
    let (hint, default) = match (&question.kind, &question.default) {
        (Kind::YesOrNo, Value::Bool(yes)) => (String::new(), if *yes { "yes" } else { "no" }.to_owned()),
        (Kind::Choice(choices), Value::Text(text)) => (format!(" ({})", choices.join(", ")), text.clone()),
        (Kind::Choices(choices), Value::List(words)) => {
            (format!(" ({})", choices.join(", ")), words.join(","))
        }
        (_, Value::Text(text)) => (String::new(), text.clone()),
        _ => bail!("{}: its default is of another kind", question.name),
    };
    until(&format!("{}{hint}", question.prompt), &default, |text| question.read(text))
}

/// Asks until the answer is one.
///
/// # Errors
/// Nobody answers.
pub(crate) fn until<T>(prompt: &str, default: &str, read: impl Fn(&str) -> Result<T>) -> Result<T> {
    loop {
        let mut out = std::io::stderr();
        let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        write!(out, "{prompt}{shown} ").and_then(|()| out.flush()).context("nobody can be asked")?;
        let mut line = String::new();
        let length = std::io::stdin().lock().read_line(&mut line).context("the answer")?;
        ensure!(length > 0, "nobody answers; --silent takes the defaults");
        let text = line.trim();
        match read(if text.is_empty() { default } else { text }) {
            Ok(answer) => return Ok(answer),
            Err(error) => say(&format!("{error:#}")),
        }
    }
}

/// Writes one line for people. That nobody may be there to read it is no reason to fail.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
