//! The waterfall of one build: its steps, and within them crates and BuildKit's vertices, on one axis of time. Rows are
//! text, so that they can be read and walked through without the bars.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::super::App;
use super::super::answer::{Failure, nothing_here};
use super::units::{self, seconds, ticks};
use super::{badge, frame, keys, trail};
use crate::clock;
use crate::store::{Build, Crate, Step};

const KEYS: [(&str, &str); 7] = [
    ("j", "next row"),
    ("k", "previous row"),
    ("Enter", "open or close a step"),
    ("e", "close all steps, or open them"),
    ("b", "back to the build"),
    ("Tab", "to what can be pressed"),
    ("?", "this list"),
];

/// The colours there are, each with what it means.
const KINDS: [(&str, &str); 7] = [
    ("step", "step"),
    ("lib", "library"),
    ("macro", "procedural macro"),
    ("script", "build script"),
    ("bin", "program"),
    ("test", "test"),
    ("vertex", "BuildKit"),
];

/// A row. Times are in seconds since the build began.
struct Row {
    name: String,
    kind: &'static str,
    started: f64,
    finished: f64,
    /// `done` and so on; `running` of one that has not ended.
    outcome: String,
    /// How many crates were there already.
    fresh: i64,
}

/// A step with what is within it.
struct Group {
    step: Row,
    parts: Vec<Row>,
}

/// The page.
pub(in crate::web) async fn waterfall(
    State(app): State<App>,
    Path(id): Path<i64>,
) -> Result<Response, Failure> {
    let store = app.cook.store();
    let Some(build) = store.build(id).await? else { return Ok(nothing_here().await) };
    let groups = groups(&build, &store.steps(id).await?, &store.crates(id).await?);
    let page = frame(
        &format!("Build {id}: waterfall"),
        &html! {
            link rel="stylesheet" href="/assets/history.css";
            (trail(&html! { " / " a #build href={ "/builds/" (id) } { "Build " (id) } " / Waterfall" }))
            main {
                p #said role="status" aria-live="polite" {}
                section #waterfall data-status=(build.status.name()) { (chart(&build, &groups)) }
            }
            (keys(&KEYS))
            script src="/assets/waterfall.js" type="module" {}
        },
    );
    Ok(page.into_response())
}

fn chart(build: &Build, groups: &[Group]) -> Markup {
    let rows = || groups.iter().flat_map(|group| std::iter::once(&group.step).chain(&group.parts));
    let end = rows().map(|row| row.finished).fold(0.001, f64::max);
    let fresh: i64 = groups.iter().map(|group| group.step.fresh).sum();
    let compiled = rows().filter(|row| !["step", "vertex"].contains(&row.kind)).count();
    html! {
        h1 { "Waterfall of build " (build.id) " " (badge(build.status)) }
        p { code { (build.command) } }
        @if groups.is_empty() {
            p.quiet { "No step has begun." }
        } @else {
            p.quiet {
                (groups.len()) " steps in " (seconds(end))
                @if compiled > 0 { " · " (compiled) " crates compiled" }
                @if fresh > 0 { " · " (fresh) " were fresh" }
            }
            div.bar {
                (legend(|kind| rows().any(|row| row.kind == kind)))
                button #toggle type="button" aria-keyshortcuts="e" hidden { "Close all steps" }
            }
            div.waterfall tabindex="0" role="region" aria-label="Steps on an axis of time" {
                div.plot {
                    (axis(end))
                    ol { @for group in groups { (entry(group, end)) } }
                }
            }
        }
    }
}

fn legend(is_there: impl Fn(&str) -> bool) -> Markup {
    html! {
        ul.legend aria-label="Colours" {
            @for (kind, meaning) in KINDS.into_iter().filter(|(kind, _)| is_there(kind)) {
                li { svg.swatch aria-hidden="true" { rect class=(kind) width="100%" height="100%" {} } " " (meaning) }
            }
        }
    }
}

/// Lines through all rows, and what they stand for.
fn axis(end: f64) -> Markup {
    let ticks = ticks(0.0, end, 8, true);
    html! {
        svg.lines aria-hidden="true" {
            @for at in &ticks { line x1=(percent(*at, end)) x2=(percent(*at, end)) y1="0" y2="100%" {} }
        }
        div.row.axis aria-hidden="true" {
            span.name { "Step" } span.number { "From" } span.number { "Took" }
            svg.track {
                // The last one would stick out.
                @for at in ticks.iter().filter(|at| **at < 0.94 * end) { text x=(percent(*at, end)) y="14" { (units::clock(*at)) } }
            }
        }
    }
}

fn entry(group: &Group, end: f64) -> Markup {
    html! {
        li {
            @if group.parts.is_empty() {
                div.row.step tabindex="-1" { (cells(&group.step, end)) }
            } @else {
                details open {
                    summary.row.step { (cells(&group.step, end)) }
                    ol { @for part in &group.parts { li.row.part tabindex="-1" { (cells(part, end)) } } }
                }
            }
        }
    }
}

fn cells(row: &Row, end: f64) -> Markup {
    let took = seconds(row.finished - row.started);
    let told = match row.outcome.as_str() {
        "cached" | "skipped" => row.outcome.clone(),
        "done" => took,
        other => format!("{took} {other}"),
    };
    html! {
        span.name title=(row.name) {
            (row.name)
            @if row.fresh > 0 { " " span.quiet { (row.fresh) " fresh" } }
        }
        span.number { span.unseen { "from " } (seconds(row.started)) }
        span.number.(row.outcome) { span.unseen { "took " } (told) }
        svg.track aria-hidden="true" {
            title { (row.name) ": from " (seconds(row.started)) ", " (told) }
            rect class={ (row.kind) " " (row.outcome) } x=(percent(row.started, end)) y="5" height="12"
                width=(percent(row.finished - row.started, end)) {}
        }
    }
}

/// The steps of a build in the order in which they began, each with its vertices and crates in theirs.
fn groups(build: &Build, steps: &[Step], crates: &[Crate]) -> Vec<Group> {
    let end = build.finished.unwrap_or_else(clock::now);
    let now = build.started.map_or(0.0, |started| (end - started) as f64 / 1000.0);
    let open = if build.status.is_final() { "cancelled" } else { "running" };
    let row = |step: &Step, name: &str, kind| Row {
        name: name.to_owned(),
        kind,
        started: step.started,
        finished: step.seconds.map_or(now.max(step.started), |seconds| step.started + seconds),
        outcome: step.outcome.clone().unwrap_or_else(|| open.to_owned()),
        fresh: step.fresh,
    };
    let is_whole = |step: &&Step| {
        let whole = step.part_of.as_ref();
        whole.is_none_or(|whole| !steps.iter().any(|other| other.part_of.is_none() && other.name == *whole))
    };
    let group = |step: &Step| {
        let vertices = steps.iter().filter(|part| part.part_of.as_ref() == Some(&step.name));
        let vertices = vertices.map(|part| {
            let name = part.name.strip_prefix(&step.name).and_then(|rest| rest.strip_prefix(": "));
            row(part, name.unwrap_or(&part.name), "vertex")
        });
        let units = crates.iter().filter(|unit| unit.step == step.name).map(unit_row);
        let mut parts: Vec<Row> = vertices.chain(units).collect();
        parts.sort_by(|a, b| a.started.total_cmp(&b.started).then(a.finished.total_cmp(&b.finished)));
        Group { step: row(step, &step.name, "step"), parts }
    };
    steps.iter().filter(is_whole).map(group).collect()
}

fn unit_row(unit: &Crate) -> Row {
    let kind = unit.kind.as_deref().unwrap_or_default();
    let target = unit.target.as_deref().filter(|target| says_more(target, &unit.package));
    let name = match target {
        Some(target) => format!("{} {} {target}", unit.package, unit.version),
        None => format!("{} {}", unit.package, unit.version),
    };
    let kind = match kind {
        "run-custom-build" | "custom-build" => "script",
        "proc-macro" => "macro",
        "bin" | "example" => "bin",
        "test" | "bench" => "test",
        _ => "lib",
    };
    let (started, finished, outcome) = (unit.started, unit.finished, unit.outcome.clone());
    Row { name, kind, started, finished, outcome, fresh: 0 }
}

/// Whether a target's name adds to that of its package.
fn says_more(target: &str, package: &str) -> bool {
    !target.starts_with("build-script-") && target.replace('_', "-") != package.replace('_', "-")
}

fn percent(value: f64, end: f64) -> String {
    format!("{:.3}%", (100.0 * value / end).clamp(0.0, 100.0))
}
