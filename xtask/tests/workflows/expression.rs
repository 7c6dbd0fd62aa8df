//! GitHub's [expressions](https://docs.github.com/en/actions/reference/workflows-and-actions/expressions), as far as these
//! workflows use them. What is beyond that is an error, and not silently empty.

use serde_json::Value;

/// `text` with each `${{ … }}` replaced by what it stands for.
pub(crate) fn filled(text: &str, contexts: &Value) -> Result<String, String> {
    let mut parts = text.split("${{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").ok_or_else(|| format!("no end of `{part}`"))?;
        filled += &as_text(&value(expression, contexts)?);
        filled += rest;
    }
    Ok(filled)
}

/// What an expression stands for, written with `${{ }}` or, as after `if:`, without.
pub(crate) fn value(expression: &str, contexts: &Value) -> Result<Value, String> {
    let expression = expression.trim();
    let bare = expression.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    let mut parser = Parser { rest: bare.unwrap_or(expression), contexts };
    let value = parser.either()?;
    match parser.rest.trim() {
        "" => Ok(value),
        rest => Err(format!("cannot read `{rest}` in `{expression}`")),
    }
}

/// Whether it counts as true.
pub(crate) fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What is left to read.
struct Parser<'a> {
    rest: &'a str,
    contexts: &'a Value,
}

impl Parser<'_> {
    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn either(&mut self) -> Result<Value, String> {
        let mut left = self.both()?;
        while self.takes("||") {
            let right = self.both()?;
            left = if is_true(&left) { left } else { right };
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Value, String> {
        let mut left = self.comparison()?;
        while self.takes("&&") {
            let right = self.comparison()?;
            left = if is_true(&left) { right } else { left };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Value, String> {
        let left = self.one()?;
        let wants = if self.takes("==") {
            true
        } else if self.takes("!=") {
            false
        } else {
            return Ok(left);
        };
        let right = self.one()?;
        Ok(Value::Bool((as_text(&left) == as_text(&right)) == wants))
    }

    fn one(&mut self) -> Result<Value, String> {
        if self.takes("'") {
            let (text, rest) = self.rest.split_once('\'').ok_or("a text has no end")?;
            self.rest = rest;
            return Ok(text.into());
        }
        self.rest = self.rest.trim_start();
        let is_name = |c: char| c.is_alphanumeric() || "._-".contains(c);
        let (path, rest) = self.rest.split_at(self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        let mut found = if self.takes("(") { self.call(path)? } else { self.context(path)? };
        while self.takes(".") {
            let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
            let (path, rest) = self.rest.split_at(end);
            self.rest = rest;
            found = path.split('.').fold(found, |found, name| found[name].clone());
        }
        Ok(found)
    }

    /// Null where there is no such thing in a context, as GitHub has it; but each context must be known.
    fn context(&self, path: &str) -> Result<Value, String> {
        let (first, _) = path.split_once('.').unwrap_or((path, ""));
        if self.contexts.get(first).is_none() {
            return Err(format!("the runner of these tests knows no `{path}`"));
        }
        Ok(path.split('.').fold(self.contexts.clone(), |found, name| found[name].clone()))
    }

    fn call(&mut self, function: &str) -> Result<Value, String> {
        let mut arguments = Vec::new();
        while !self.takes(")") {
            arguments.push(self.either()?);
            self.takes(",");
            if self.rest.trim().is_empty() {
                return Err(format!("no end of `{function}(`"));
            }
        }
        match (function, &arguments[..]) {
            ("fromJSON", [text]) => serde_json::from_str(&as_text(text)).map_err(|error| error.to_string()),
            ("format", [text, values @ ..]) => {
                let fill = |text: String, (index, value): (usize, &Value)| {
                    text.replace(&format!("{{{index}}}"), &as_text(value))
                };
                Ok(values.iter().enumerate().fold(as_text(text), fill).into())
            }
            ("always", []) => Ok(true.into()),
            _ => Err(format!("the runner of these tests has no function `{function}`")),
        }
    }
}

/// What expressions of these kinds stand for.
pub(crate) fn stand_for_what_github_says() {
    let contexts = serde_json::json!({
        "github": { "repository": "team/app", "event_name": "push" },
        "vars": {},
        "needs": { "matrix": { "outputs": { "matrix": "{\"check\":[{\"part\":\"quick\"}]}" } } },
    });
    let check =
        |text: &str, expected: &str| assert_eq!(filled(text, &contexts).as_deref(), Ok(expected), "{text}");
    check("a ${{ github.repository }} b ${{vars.NONE}}", "a team/app b ");
    check("${{ vars.IMAGE || format('ghcr.io/{0}', github.repository) }}", "ghcr.io/team/app");
    check("${{ github.event_name == 'pull_request' }}", "false");
    check("${{ github.event_name != '' && 'yes' }}", "yes");
    let rows = value("${{ fromJSON(needs.matrix.outputs.matrix).check }}", &contexts).unwrap();
    assert_eq!(rows[0]["part"], "quick");
    assert!(
        is_true(&value("always()", &contexts).unwrap()) && !is_true(&value("vars.NONE", &contexts).unwrap())
    );
    for wrong in ["secrets.TOKEN", "toJSON(github)", "github.repository github", "'text", "format('a'"] {
        assert!(value(wrong, &contexts).is_err(), "{wrong}");
    }
}
