//! The template in Rhai, for cargo-generate: it can neither see the marks nor read a file, only write some.
//!
//! Its hooks are described in <https://cargo-generate.github.io/cargo-generate/templates/scripting.html>.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use crate::answers::Value;
use crate::expression::Expression;
use crate::marked::{Marked, Node};
use crate::name;
use crate::record::{self, Record};
use crate::render::{REPLACEMENTS, marked, sources};
use crate::template::{Kind, Question, Template};
use crate::tree::{File, Tree};

const HEAD: &str = "// Written by `cargo xtask template pack`; an edit would be lost.\n";

/// The hook that refuses answers before anything is written. It runs before the questions, with what the command line
/// says, and after them.
pub(crate) fn check(template: &Template) -> String {
    let mut out = HEAD.to_owned();
    let reserved: Vec<_> = name::RESERVED.iter().map(|word| literal(word)).collect();
    let _ = write!(
        out,
        r#"
fn refuse(text) {{ throw text; }}

if variable::is_set("project-name") {{
    let name = variable::get("project-name");
    let reserved = [{}];
    for c in name {{
        if !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') {{
            refuse(`the name ${{name}} has '${{c}}' in it: it takes a to z, 0 to 9 and dashes`);
        }}
    }}
    if name.starts_with("-") || (name[0] >= '0' && name[0] <= '9') {{
        refuse(`the name ${{name}} has to begin with a letter`);
    }}
    if name.ends_with("-") || name.contains("--") {{
        refuse(`the name ${{name}} has a dash at its end, or two in a row`);
    }}
    if name.len() > {} {{ refuse(`the name ${{name}} is longer than {} characters`); }}
    if name in reserved {{ refuse(`${{name}} is a reserved word: use another name, such as ${{name}}-service`); }}
}}
"#,
        reserved.join(", "),
        name::LONGEST,
        name::LONGEST,
    );
    for question in &template.questions {
        let name = &question.name;
        let test = match &question.kind {
            Kind::Text => format!(
                "for c in variable::get(\"{name}\") {{ if c == '\"' || c == '\\\\' || c < ' ' {{\n        \
                 refuse(\"{name}: it is written into files in quotes and cannot have quotes, a backslash or control \
                 characters in it\");\n    }} }}"
            ),
            Kind::Choices(choices) => format!(
                "if variable::get(\"{name}\").len() == 0 {{ refuse(\"{name}: at least one of {}\"); }}",
                choices.join(", ")
            ),
            // cargo-generate sees to these.
            Kind::YesOrNo | Kind::Choice(_) => continue,
        };
        let _ = write!(out, "\nif variable::is_set(\"{name}\") {{\n    {test}\n}}\n");
    }
    out
}

/// The hook that writes the files that are not the same in every project.
///
/// # Errors
/// When a mark in one of them has a mistake.
pub(crate) fn generate(tree: &Tree, template: &Template) -> Result<String> {
    let mut out = HEAD.to_owned();
    out.push_str(PRELUDE);
    for question in &template.questions {
        out.push_str(&variable(question));
    }
    out.push_str("if image == \"\" { image = name; }\nlet backend = backends[0];\n\nlet t = \"\";\n");
    for (path, file) in sources(tree) {
        let is_replaced = tree.contains_key(&format!("{REPLACEMENTS}{path}"));
        let marked = match marked(path, file)? {
            None if is_replaced => plain(path, file)?,
            None => continue,
            Some(marked) => marked,
        };
        // cargo-generate has left out what does not belong to the answers, of the files that it knows.
        let when = if tree.contains_key(path) {
            format!("file::exists({})", literal(path))
        } else {
            template.condition(path).to_string()
        };
        write_file(&mut out, path, &marked, &when);
    }
    out.push_str(&record(tree, template)?);
    out.push_str("\nfile::delete(\"template\");\n");
    Ok(out)
}

const PRELUDE: &str = r#"
fn chosen(answer, choices) { choices.filter(|choice| choice in answer) }

fn quoted(words) {
    let out = "";
    for word in words {
        if out != "" { out += ", "; }
        out += "\"" + word + "\"";
    }
    out
}

let is_template = false;
let name = variable::get("project-name");
let title = name;
title.replace("-", " ");
title = title.sub_string(0, 1).to_upper() + title.sub_string(1);
"#;

fn variable(Question { name, kind, .. }: &Question) -> String {
    match kind {
        Kind::Choices(choices) => {
            let choices: Vec<_> = choices.iter().map(|choice| literal(choice)).collect();
            format!("let {name} = chosen(variable::get(\"{name}\"), [{}]);\n", choices.join(", "))
        }
        _ => format!("let {name} = variable::get(\"{name}\");\n"),
    }
}

fn plain(path: &str, file: &File) -> Result<Marked> {
    let text = std::str::from_utf8(&file.bytes).with_context(|| path.to_owned())?;
    Ok(Marked(vec![Node::Text(text.to_owned())]))
}

fn write_file(out: &mut String, path: &str, marked: &Marked, when: &str) {
    let path = literal(path);
    let _ = write!(out, "\nif {when} {{\n    t = \"\";\n");
    add(out, &marked.0, 1);
    let _ = write!(out, "    file::write({path}, t);\n}}\n");
}

fn add(out: &mut String, nodes: &[Node], depth: usize) {
    let indent = "    ".repeat(depth);
    for node in nodes {
        match node {
            Node::Text(text) => {
                for line in text.split_inclusive('\n') {
                    let _ = writeln!(out, "{indent}t += {};", literal(line));
                }
            }
            Node::Answer(name) => {
                let _ = writeln!(
                    out,
                    "{indent}t += if type_of({name}) == \"array\" {{ quoted({name}) }} else {{ {name} }};"
                );
            }
            // cargo-generate makes projects; those that were there before are not its business.
            Node::If { when, otherwise, .. } if *when == adopted() => add(out, otherwise, depth),
            Node::If { when: Expression::Not(inner), then, .. } if **inner == adopted() => {
                add(out, then, depth)
            }
            Node::If { when, then, otherwise } => {
                let _ = writeln!(out, "{indent}if {when} {{");
                add(out, then, depth + 1);
                if !otherwise.is_empty() {
                    let _ = writeln!(out, "{indent}}} else {{");
                    add(out, otherwise, depth + 1);
                }
                let _ = writeln!(out, "{indent}}}");
            }
        }
    }
}

fn adopted() -> Expression {
    Expression::Yes("adopted".to_owned())
}

fn record(tree: &Tree, template: &Template) -> Result<String> {
    let (source, version) = record::origin(tree)?;
    let heading = literal(&record::heading(&source, &version));
    let mut out = format!("\nt = {heading};\nt += `name = \"${{name}}\"\\n`;\n").replace("\\n`", "\n`");
    for Question { name, default, .. } in &template.questions {
        let value = match default {
            Value::Bool(_) => format!("${{{name}}}"),
            Value::Text(_) => format!("\"${{{name}}}\""),
            Value::List(_) => format!("[${{quoted({name})}}]"),
        };
        let _ = writeln!(out, "t += `{name} = {value}\n`;");
    }
    let _ = writeln!(out, "file::write({}, t);", literal(Record::FILE));
    Ok(out)
}

/// A text in Rhai: <https://rhai.rs/book/language/strings-chars.html>.
fn literal(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
