//! The report as a page: one file that asks for nothing, in light and dark.

use std::fmt::Write as _;

use super::table::{cells, notes};
use super::{Report, Section, plot};

/// The style sheet, for pages and for plots alone.
pub(super) const STYLE: &str = include_str!("page.css");

/// The page. `json` is the report, for who wants to reckon with it.
pub(super) fn page(report: &Report, json: &str) -> String {
    let mut body = String::new();
    for section in &report.sections {
        body += &article(section);
    }
    let changes = report.changes.iter().map(|change| format!("<li>{}</li>", escaped(&change.to_string())));
    let changes = changes.collect::<String>();
    let notes = report.notes.iter().map(|note| format!("<li>{}</li>", escaped(note))).collect::<String>();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>cargo xtask bench</title>\n<style>\n{STYLE}</style>\n\
         <h1>How fast</h1>\n<p>{}, of {} at {}, by <code>{}</code></p>\n<ul>{changes}{notes}</ul>\n{body}\
         <script type=\"application/json\" id=\"report\">{}</script>\n</html>\n",
        escaped(&report.machine.to_string()),
        escaped(report.commit.get(..12).unwrap_or(&report.commit)),
        escaped(&report.began),
        escaped(&report.command),
        // No text can end the script.
        json.replace('<', "\\u003c"),
    )
}

fn article(section: &Section) -> String {
    let (head, rows) = cells(section);
    let line = |cells: &[String], tag: &str| {
        let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect::<String>();
        format!("<tr>{cells}</tr>")
    };
    let mut html = format!(
        "<article id=\"{}\">\n<h2>{}</h2>\n<p>{}</p>\n{}\n<div class=\"wide\"><table>{}{}</table></div>\n",
        escaped(&section.scenario),
        escaped(&section.title),
        escaped(&section.how),
        plot::plot(section),
        line(&head, "th"),
        rows.iter().map(|row| line(row, "td")).collect::<String>(),
    );
    for (mark, note) in notes(section) {
        let _ = writeln!(html, "<p class=\"note\"><b>{}</b>: {}</p>", escaped(&mark), escaped(&note));
    }
    html += "<details><summary>What was run</summary><dl>";
    for (name, command) in &section.commands {
        let _ = write!(html, "<dt>{}</dt><dd><code>{}</code></dd>", escaped(name), escaped(command));
    }
    html + "</dl></details>\n</article>\n"
}

/// Text that is nothing but text, also between quotes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
