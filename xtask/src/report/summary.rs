//! Tables and figures for people.

use std::iter;

use image_spec::size::bytes;
use image_spec::{LayerReport, PlatformReport};

use super::event::{Failure, ImageFinished, Outcome, ToolStatus};

/// A step that ended.
pub(super) struct Row {
    /// Its name.
    pub(super) step: String,
    /// What became of it.
    pub(super) end: End,
    /// The step that it is a vertex of.
    pub(super) part_of: Option<String>,
}

/// What became of a step.
pub(super) enum End {
    /// It ran.
    Ran {
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        seconds: f64,
    },
    /// It did not run.
    Skipped,
}

/// The room for names, in columns, unless a step's is longer.
pub(super) const WIDTH: usize = 10;

/// A table of the steps.
pub(super) fn steps(rows: &[Row], seconds: f64, width: usize) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.part_of.is_none()) {
        text += &format!("{:>width$}  {}\n", row.step, end(row));
        // A vertex ends before its step does, and has a name that is too long for the room.
        for vertex in rows.iter().filter(|vertex| vertex.part_of.as_ref() == Some(&row.step)) {
            text += &format!("{:width$}    {}   {}\n", "", end(vertex), vertex.step);
        }
    }
    text + &format!("{:>width$}  {seconds:>7.2} s\n", "in all")
}

/// What failed, and how to see it again.
pub(super) fn failure(failure: &Failure<'_>, colour: bool) -> String {
    let Failure { step, exit_code, repeat } = failure;
    format!("{} step `{step}` failed with exit code {exit_code}: {repeat}", painted("error:", "1;31", colour))
}

fn end(row: &Row) -> String {
    match row.end {
        End::Ran { outcome, seconds } => format!("{seconds:>7.2} s{}", remark(outcome)),
        End::Skipped => format!("{:>9}   skipped", "-"),
    }
}

fn remark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "",
        Outcome::Cached => "   cached",
        Outcome::Failed => "   failed",
        Outcome::Cancelled => "   cancelled",
    }
}

/// What there is to know of an image.
pub(super) fn image(image: &ImageFinished, width: usize) -> String {
    let mut lines = vec![("image", image.tags.join(", ")), ("digest", image.digest.clone())];
    let several = image.platforms.len() > 1;
    let sizes = image.platforms.iter().map(|platform| size(platform, several));
    lines.extend(sizes.zip(["size"].into_iter().chain(iter::repeat(""))).map(|(text, title)| (title, text)));
    lines.extend(image.path.iter().map(|path| ("written", path.clone())));
    lines.extend(image.push.map(|push| {
        let (uploaded, mounted, present) = (bytes(push.uploaded), bytes(push.mounted), bytes(push.present));
        if push.dry_run {
            ("dry run", format!("{uploaded} to upload, {mounted} to mount, {present} already there"))
        } else {
            let instead = push.fallback.map(|compression| {
                format!("; as {compression}, since the registry did not take it otherwise")
            });
            let text = format!("{uploaded} uploaded, {mounted} mounted, {present} already there");
            ("pushed", text + &instead.unwrap_or_default())
        }
    }));
    lines.extend(image.loaded_into.iter().map(|runtime| ("loaded", format!("into {runtime}"))));
    lines.extend(image.run.iter().zip(["run it", ""]).map(|(command, title)| (title, command.clone())));
    lines.into_iter().map(|(title, text)| format!("{title:>width$}  {text}\n")).collect()
}

/// What there is to know of a service that runs.
pub(super) fn service(urls: &[String], end: &str, width: usize) -> String {
    let open = urls.iter().map(String::as_str).zip(["open"].into_iter().chain(iter::repeat("")));
    let lines = open.chain([(end, "end it")]);
    lines.map(|(text, title)| format!("{title:>width$}  {text}\n")).collect()
}

/// The size of an image for one platform, and of its layers.
fn size(image: &PlatformReport, several: bool) -> String {
    let layer = |layer: &LayerReport| {
        format!("{} {}{}", layer.name, bytes(layer.size), if layer.cached { " cached" } else { "" })
    };
    let layers = image.layers.iter().map(layer).collect::<Vec<_>>().join(", ");
    let platform = if several { format!("{} ", image.platform) } else { String::new() };
    format!("{platform}{} ({layers})", bytes(image.size))
}

/// A table of tools with what is missing and how to install it.
pub(super) fn tools(tools: &[ToolStatus], verdict: &str, hint: Option<&str>, colour: bool) -> String {
    let width = tools.iter().map(|tool| tool.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for tool in tools {
        let (mark, paint) = match (&tool.version, tool.required) {
            (Some(_), _) => ("found", "32"),
            (None, true) => ("REQUIRED", "31"),
            (None, false) => ("missing", "33"),
        };
        let mark = painted(&format!("{mark:<8}"), paint, colour);
        let version = tool.version.as_deref().unwrap_or("-");
        text += &format!("{mark}  {:<width$}  {version:<10} {}\n", tool.name, tool.purpose);
        if tool.version.is_none() {
            text += &format!("{:8}  {:<width$}  install: {}\n", "", "", tool.install);
        }
    }
    text += &format!("\n{verdict}\n");
    text + &hint.map(|hint| format!("{hint}\n")).unwrap_or_default()
}

/// `text` in an SGR colour.
pub(super) fn painted(text: &str, colour: &str, is_coloured: bool) -> String {
    if is_coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}
