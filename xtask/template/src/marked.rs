//! Files that are not the same in every project, and the marks in them that say so.
//!
//! A mark is a comment of the file's own language, so that the file means something as it stands. It begins with the word
//! `template:`, and goes on with
//!
//! - `if CONDITION`, in a line of its own: the lines up to `end`, or `else`, are there only if it holds;
//! - `if CONDITION`, at the end of a line: that line is there only if it holds;
//! - `line TEXT`: the text stands for the next line, with the `{answers}` in it filled in;
//! - `add TEXT`: the same, for no line.
//!
//! In a project that was made, there are no marks.

use anyhow::{Context as _, Result, bail, ensure};

use crate::answers::{Answers, Value};
use crate::expression::Expression;

/// What opens a comment in one of the languages of the repository.
const COMMENTS: [&str; 5] = ["<!--", "//", "#", "--", ";"];
pub(crate) const WORD: &str = "template:";

/// A file with marks, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marked(pub(crate) Vec<Node>);

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// The same in every project.
    Text(String),
    /// An answer.
    Answer(String),
    /// One or the other.
    If { when: Expression, then: Vec<Node>, otherwise: Vec<Node> },
}

impl Marked {
    /// Takes a file apart; nothing for one without marks.
    ///
    /// # Errors
    /// For marks that are not understood or do not belong together; says in which line.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>> {
        if !text.contains(WORD) {
            return Ok(None);
        }
        let mut lines = Lines { lines: text.split_inclusive('\n').enumerate().peekable(), marks: 0 };
        let (nodes, end) = lines.nodes()?;
        match end {
            None if lines.marks == 0 => Ok(None),
            None => Ok(Some(Self(nodes))),
            Some((number, _)) => bail!("line {number}: there is no `{WORD} if` that this belongs to"),
        }
    }

    /// The file as it is in a project with these answers.
    ///
    /// # Errors
    /// When a mark asks for an answer that there is not.
    pub(crate) fn render(&self, answers: &Answers) -> Result<String> {
        let mut out = String::new();
        render(&self.0, answers, &mut out)?;
        Ok(out)
    }
}

fn render(nodes: &[Node], answers: &Answers, out: &mut String) -> Result<()> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Answer(name) => out.push_str(&shown(answers.get(name)?)),
            Node::If { when, then, otherwise } => {
                render(if when.holds(answers)? { then } else { otherwise }, answers, out)?;
            }
        }
    }
    Ok(())
}

/// An answer as it is written into a file: of several words, each in quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "),
    }
}

enum Mark<'a> {
    If(&'a str),
    Else,
    End,
    Line(&'a str),
    Add(&'a str),
}

fn mark(line: &str) -> Option<Result<Mark<'_>>> {
    let line = line.trim();
    let comment = COMMENTS.into_iter().find_map(|opening| line.strip_prefix(opening))?;
    let text = comment.trim_start().strip_prefix(WORD)?;
    let text = text.strip_suffix("-->").unwrap_or(text).trim();
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match (verb, rest) {
        ("if", condition) => Ok(Mark::If(condition)),
        ("line", text) => Ok(Mark::Line(text)),
        ("add", text) => Ok(Mark::Add(text)),
        ("else", "") => Ok(Mark::Else),
        ("end", "") => Ok(Mark::End),
        _ => Err(anyhow::anyhow!("`{WORD} {text}` is not understood; there is if, else, end, line and add")),
    })
}

/// A line that is there only under a condition, which is a comment at its end.
fn conditional(line: &str) -> Option<(&str, &str)> {
    COMMENTS.into_iter().find_map(|opening| {
        let (before, condition) = line.split_once(&format!(" {opening} {WORD} if "))?;
        let condition = condition.trim();
        Some((before.trim_end(), condition.strip_suffix("-->").unwrap_or(condition).trim_end()))
    })
}

type End<'a> = Option<(usize, Mark<'a>)>;

struct Lines<'a, I: Iterator<Item = (usize, &'a str)>> {
    lines: std::iter::Peekable<I>,
    marks: usize,
}

impl<'a, I: Iterator<Item = (usize, &'a str)>> Lines<'a, I> {
    /// Reads up to the end, or an `else` or `end` that is not its own.
    fn nodes(&mut self) -> Result<(Vec<Node>, End<'a>)> {
        let mut nodes = Vec::new();
        while let Some((index, line)) = self.lines.next() {
            let number = index + 1;
            let place = || format!("line {number}");
            let Some(mark) = mark(line) else {
                match conditional(line) {
                    None => push(&mut nodes, line),
                    Some((text, condition)) => {
                        self.marks += 1;
                        let when = Expression::parse(condition).with_context(place)?;
                        let then = vec![Node::Text(format!("{text}{}", ending(line)))];
                        nodes.push(Node::If { when, then, otherwise: Vec::new() });
                    }
                }
                continue;
            };
            self.marks += 1;
            match mark.with_context(place)? {
                Mark::If(condition) => {
                    let when = Expression::parse(condition).with_context(place)?;
                    nodes.push(self.branches(when, number)?);
                }
                Mark::Line(text) => {
                    let Some((_, line)) = self.lines.next() else {
                        bail!("line {number}: there is no line that it could stand for");
                    };
                    fill(&mut nodes, line, text);
                }
                Mark::Add(text) => fill(&mut nodes, line, text),
                end @ (Mark::Else | Mark::End) => return Ok((nodes, Some((number, end)))),
            }
        }
        Ok((nodes, None))
    }

    fn branches(&mut self, when: Expression, number: usize) -> Result<Node> {
        let open = || format!("line {number}: `{WORD} if` has no `{WORD} end`");
        let (then, end) = self.nodes()?;
        let otherwise = match end.with_context(open)? {
            (_, Mark::Else) => {
                let (otherwise, end) = self.nodes()?;
                let (number, end) = end.with_context(open)?;
                ensure!(matches!(end, Mark::End), "line {number}: a second `{WORD} else`");
                otherwise
            }
            _ => Vec::new(),
        };
        Ok(Node::If { when, then, otherwise })
    }
}

fn ending(line: &str) -> &str {
    &line[line.trim_end_matches(['\r', '\n']).len()..]
}

fn push(nodes: &mut Vec<Node>, text: &str) {
    match nodes.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => nodes.push(Node::Text(text.to_owned())),
    }
}

/// Puts `text` with its `{answers}` in place of `line`, whose indentation stays.
fn fill(nodes: &mut Vec<Node>, line: &str, text: &str) {
    push(nodes, &line[..line.len() - line.trim_start().len()]);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !name.is_empty();
        match after.split_once('}') {
            Some((answer, after)) if name(answer) => {
                push(nodes, before);
                nodes.push(Node::Answer(answer.to_owned()));
                rest = after;
            }
            _ => {
                push(nodes, &rest[..=before.len()]);
                rest = after;
            }
        }
    }
    push(nodes, rest);
    push(nodes, ending(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        let answers = Answers::from([
            ("yes", Value::Bool(true)),
            ("no", Value::Bool(false)),
            ("name", Value::Text("shop".to_owned())),
            ("words", Value::List(vec!["a".to_owned(), "b".to_owned()])),
        ]);
        Marked::parse(text).unwrap().unwrap().render(&answers).unwrap()
    }

    #[test]
    fn lines_are_there_only_if_it_holds() {
        for (leader, trailer) in [("#", ""), ("//", ""), ("--", ""), (";", ""), ("<!--", " -->")] {
            let mark = |text: &str| format!("  {leader} template: {text}{trailer}\n");
            let text = ["a\n", &mark("if no"), "b\n", &mark("else"), "c\n", &mark("end"), "d"].concat();
            assert_eq!(rendered(&text), "a\nc\nd", "{leader}");
            let line =
                format!("  a, {leader} template: if yes{trailer}\n  b, {leader} template: if no{trailer}\n");
            assert_eq!(rendered(&line), "  a,\n", "{leader}");
        }
        let nested = "# template: if yes\n1\n# template: if no\n2\n# template: end\n3\n# template: end\n4\n";
        assert_eq!(rendered(nested), "1\n3\n4\n");
    }

    #[test]
    fn answers_stand_for_a_line() {
        let line = |text: &str| rendered(&format!("# template: line {text}\r\n\told\r\nnext\r\n"));
        assert_eq!(line("repository = \"{name}\""), "\trepository = \"shop\"\r\nnext\r\n");
        assert_eq!(line("all = [{words}]"), "\tall = [\"a\", \"b\"]\r\nnext\r\n");
        assert_eq!(line("${NAME:-{name}} {} {A}"), "\t${NAME:-shop} {} {A}\r\nnext\r\n");
        assert_eq!(rendered("a\n  <!-- template: add the {name} -->\nb"), "a\n  the shop\nb");
    }

    #[test]
    fn a_file_without_marks_is_left_alone() {
        for text in ["", "a\n", "template: if a\n", "x = \"template: if a\"\n", "# templates: if\n"] {
            assert_eq!(Marked::parse(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, error) in [
            ("a\n# template: if\n# template: end\n", "line 2: ``: an option is missing after the start"),
            ("# template: if a\n", "line 1: `template: if` has no `template: end`"),
            ("\n# template: end\n", "line 2: there is no `template: if` that this belongs to"),
            ("# template: if a\n# template: else\n# template: else\n", "line 3: a second `template: else`"),
            ("# template: line a", "line 1: there is no line that it could stand for"),
            (
                "# template: when a\n",
                "line 1: `template: when a` is not understood; there is if, else, end, line and add",
            ),
        ] {
            assert_eq!(format!("{:#}", Marked::parse(text).unwrap_err()), error);
        }
    }
}
