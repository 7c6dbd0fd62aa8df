//! The page, put together of its parts.

use anyhow::Result;

use super::run::Run;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("moves.js"));

/// The page of `run`.
///
/// # Errors
/// None that is known: a run can always be written as JSON.
pub(super) fn page(run: &Run) -> Result<String> {
    // Inside a script element only `<` can end it. JSON has no `<` but in strings.
    let data = serde_json::to_string(run)?.replace('<', r"\u003c");
    let page = HTML.replace("{{title}}", &escaped(&run.title()));
    let page = page.replace("{{style}}", STYLE.trim_end()).replace("{{script}}", SCRIPT.trim_end());
    // Last, so that nothing is looked for in what strangers have written.
    Ok(page.replace("{{data}}", &data))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
