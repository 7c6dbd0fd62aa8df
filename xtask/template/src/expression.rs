//! When a file or some lines belong to a project: `media && !("red" in colours)`.
//!
//! What cargo-generate takes as the name of a `[conditional]` table, an expression in Rhai, is understood as far as the
//! template needs it: options, `"word" in option`, `option == "word"`, `!`, `&&`, `||` and parentheses.

use std::fmt;

use anyhow::{Result, bail, ensure};

use crate::answers::{Answers, Value};

/// A condition on the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// This question was answered with yes.
    Yes(String),
    /// This word is among those chosen.
    Contains {
        option: String,
        word: String,
    },
    /// This is the answer.
    Is {
        option: String,
        word: String,
    },
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    /// Reads one.
    ///
    /// # Errors
    /// When it is not one; says where.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, text };
        let expression = parser.any()?;
        ensure!(parser.at == parser.tokens.len(), "`{text}`: nothing is expected after {}", parser.so_far());
        Ok(expression)
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// When it asks for an answer that there is not, or that is of another kind.
    pub(crate) fn holds(&self, answers: &Answers) -> Result<bool> {
        Ok(match self {
            Self::Yes(option) => match answers.get(option)? {
                Value::Bool(yes) => *yes,
                _ => bail!("`{option}` is not a yes or no"),
            },
            Self::Contains { option, word } => match answers.get(option)? {
                Value::List(words) => words.contains(word),
                _ => bail!("`{option}` is not a list"),
            },
            Self::Is { option, word } => match answers.get(option)? {
                Value::Text(text) => text == word,
                _ => bail!("`{option}` is not a text"),
            },
            Self::Not(inner) => !inner.holds(answers)?,
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(answers)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(answers)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }
}

/// In Rhai, as in the template's own files.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Expression], by: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    f.write_str(by)?;
                }
                match part {
                    Self::Any(_) => write!(f, "({part})")?,
                    _ => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Yes(option) => f.write_str(option),
            Self::Contains { option, word } => write!(f, "\"{word}\" in {option}"),
            Self::Is { option, word } => write!(f, "{option} == \"{word}\""),
            Self::Not(inner) => match **inner {
                Self::Yes(_) => write!(f, "!{inner}"),
                _ => write!(f, "!({inner})"),
            },
            Self::All(parts) if parts.is_empty() => f.write_str("true"),
            Self::All(parts) => joined(f, parts, " && "),
            Self::Any(parts) => joined(f, parts, " || "),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Word(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let sign = ["&&", "||", "==", "!", "(", ")"].into_iter().find(|sign| rest.starts_with(sign));
        let length = if let Some(sign) = sign {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '"' {
            let Some((word, _)) = rest[1..].split_once('"') else { bail!("`{text}`: a quote is not closed") };
            tokens.push(Token::Word(word.to_owned()));
            word.len() + 2
        } else {
            let name =
                rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
            ensure!(!name.is_empty(), "`{text}`: `{first}` is not understood");
            tokens.push(Token::Name(name.to_owned()));
            name.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression> {
        self.joined("||", Self::all, Expression::Any)
    }

    fn all(&mut self) -> Result<Expression> {
        self.joined("&&", Self::one, Expression::All)
    }

    fn joined(
        &mut self,
        sign: &'static str,
        part: impl Fn(&mut Self) -> Result<Expression>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression> {
        let mut parts = vec![part(self)?];
        while self.takes(sign) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn one(&mut self) -> Result<Expression> {
        if self.takes("!") {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inner = self.any()?;
            ensure!(self.takes(")"), "`{}`: `)` is missing after {}", self.text, self.so_far());
            return Ok(inner);
        }
        match self.next() {
            Some(Token::Word(word)) => match (self.next(), self.next()) {
                (Some(Token::Name(of)), Some(Token::Name(option))) if of == "in" => {
                    Ok(Expression::Contains { option, word })
                }
                _ => bail!("`{}`: `\"{word}\"` has to be followed by `in` and an option", self.text),
            },
            Some(Token::Name(option)) if self.takes("==") => match self.next() {
                Some(Token::Word(word)) => Ok(Expression::Is { option, word }),
                _ => bail!("`{}`: `{option} ==` has to be followed by a word in quotes", self.text),
            },
            Some(Token::Name(option)) => Ok(Expression::Yes(option)),
            _ => bail!("`{}`: an option is missing after {}", self.text, self.so_far()),
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let taken = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(taken);
        taken
    }

    fn so_far(&self) -> String {
        match self.at.min(self.tokens.len()) {
            0 => "the start".to_owned(),
            at => match &self.tokens[at - 1] {
                Token::Name(name) => format!("`{name}`"),
                Token::Word(word) => format!("`\"{word}\"`"),
                Token::Sign(sign) => format!("`{sign}`"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_and_written_alike() {
        for text in [
            "media",
            "!media",
            r#""blue" in backends"#,
            r#"!("blue" in backends)"#,
            r#"ci == "github""#,
            r#"media && ("a" in backends || "b" in backends) && !(x == "y")"#,
            "a || b && !c",
        ] {
            assert_eq!(Expression::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn they_hold_by_the_answers() {
        let answers = Answers::from([
            ("media", Value::Bool(false)),
            ("ci", Value::Text("github".to_owned())),
            ("backends", Value::List(vec!["red".to_owned(), "blue".to_owned()])),
        ]);
        for (text, holds) in [
            ("media", false),
            ("!media", true),
            (r#""blue" in backends"#, true),
            (r#""blue" in backends && media"#, false),
            (r#"media || "green" in backends || ci == "github""#, true),
            (r#"!(media || ci == "none")"#, true),
        ] {
            assert_eq!(Expression::parse(text).unwrap().holds(&answers).unwrap(), holds, "{text}");
        }
        let wrong = |text: &str| Expression::parse(text).unwrap().holds(&answers).unwrap_err().to_string();
        assert_eq!(wrong("ci"), "`ci` is not a yes or no");
        assert_eq!(wrong(r#""a" in media"#), "`media` is not a list");
        assert_eq!(wrong("madia"), "there is no answer to `madia`");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, error) in [
            ("", "``: an option is missing after the start"),
            ("a &&", "`a &&`: an option is missing after `&&`"),
            ("a b", "`a b`: nothing is expected after `a`"),
            ("(a", "`(a`: `)` is missing after `a`"),
            ("\"a", "`\"a`: a quote is not closed"),
            ("\"a\" b", "`\"a\" b`: `\"a\"` has to be followed by `in` and an option"),
            ("a == b", "`a == b`: `a ==` has to be followed by a word in quotes"),
            ("a % b", "`a % b`: `%` is not understood"),
        ] {
            assert_eq!(Expression::parse(text).unwrap_err().to_string(), error);
        }
    }
}
