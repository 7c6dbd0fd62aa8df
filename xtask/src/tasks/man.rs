//! `man`: a page for each task, by clap_mangen.

use std::io;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::words;
use crate::cli::{self, examples};
use crate::config::Config;
use crate::plan::{Plan, Step, quote};

/// Plans `man`: one step, because a line for each page would tell nobody anything.
///
/// # Errors
/// When a page cannot be put into words.
pub(crate) fn plan(config: &Config, folder: &Path) -> Result<Plan> {
    let mut command =
        cli::command().name("cargo-xtask").bin_name("cargo xtask").disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add_pages(config, &command, "", &mut pages)?;

    let mut script = format!("mkdir -p {}\n", quote(&folder.to_string_lossy()));
    let mut outputs = Vec::new();
    for (name, page) in pages {
        let path = folder.join(name);
        script += &format!("cat >{} <<'PAGE'\n{page}PAGE\n", quote(&path.to_string_lossy()));
        outputs.push(path);
    }
    let step = Step {
        name: "pages".to_owned(),
        why: format!("write {} man pages into {}", outputs.len(), folder.display()),
        argv: words(&["sh", "-e"]),
        stdin: Some(script),
        outputs,
        ..Step::default()
    };
    Ok(Plan { cwd: config.root.clone(), steps: vec![step], ..Plan::default() })
}

/// The pages of `command` and of all that is below it, with their names.
fn add_pages(
    config: &Config,
    command: &Command,
    path: &str,
    pages: &mut Vec<(String, String)>,
) -> Result<()> {
    let created = UNIX_EPOCH + Duration::from_secs(config.source.created);
    let date = humantime::format_rfc3339_seconds(created).to_string();
    let date = date.split('T').next().unwrap_or_default();
    let source = format!("Galley {}", config.package.version);
    let man = Man::new(command.clone()).date(date).source(source).manual("Galley");
    let mut page = Vec::new();
    render(&man, command, path, &mut page)?;
    pages.push((man.get_filename(), portable(&String::from_utf8(page)?)));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        add_pages(config, sub, format!("{path} {}", sub.get_name()).trim_start(), pages)?;
    }
    Ok(())
}

/// As [`Man::render`], but for the examples: each has a paragraph of its own.
fn render(man: &Man, command: &Command, path: &str, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let mut roff = Roff::new();
    let examples = examples::of(path);
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (typed, why) in examples {
        roff.control("TP", []).text([bold(format!("cargo xtask {typed}"))]).text([roman(why)]);
    }
    roff.to_writer(page)
}

/// The same for every roff: its own names for characters beyond ASCII, and no break beside a space, which mandoc warns of.
fn portable(page: &str) -> String {
    let mut text = String::new();
    for c in page.replace(".br\n\n.br\n", ".sp\n").chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            text += &format!("\\[u{:04X}]", u32::from(c));
        }
    }
    text
}
