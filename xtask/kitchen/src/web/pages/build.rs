//! The page of one build: how it stands with it, its steps and its log.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::super::App;
use super::super::answer::{Failure, nothing_here};
use super::details::details;
use super::images::images;
use super::log::log;
use super::{badge, commit, duration, frame, keys, time, trail};
use crate::build::Origin;
use crate::store::{Build, Pushed, Record, Step};

const KEYS: [(&str, &str); 10] = [
    ("j", "down in the log"),
    ("k", "up in the log"),
    ("f", "follow the log"),
    ("/", "search the log"),
    ("n, N", "next match, previous match"),
    ("r", "run again"),
    ("x", "kill"),
    ("w", "waterfall"),
    ("c", "compare with the one before"),
    ("?", "this list"),
];

/// The page.
pub(in crate::web) async fn build(State(app): State<App>, Path(id): Path<i64>) -> Result<Response, Failure> {
    let store = app.cook.store();
    let Some(record) = store.record(id).await? else { return Ok(nothing_here().await) };
    let Record { build, steps, .. } = &record;
    let pushed = store.pushed(id).await?;
    // What a build that was killed had begun.
    let open = if build.status.is_final() { "cancelled" } else { "running" };
    let page = frame(
        &format!("Build {id}: {}", build.status.name()),
        &html! {
            link rel="stylesheet" href="/assets/history.css";
            link rel="stylesheet" href="/assets/publish.css";
            (trail(&html! { " / Build " (id) }))
            main #build data-build=(id) {
                (head(build, &pushed))
                p #said role="status" aria-live="polite" {}
                (log(id))
                section #steps aria-label="Steps" { @if !steps.is_empty() { (table(steps, open)) } }
                (details(&record))
            }
            (keys(&KEYS))
            script src="/assets/build.js" type="module" {}
        },
    );
    Ok(page.into_response())
}

fn head(build: &Build, pushed: &[Pushed]) -> Markup {
    html! {
        section #head data-status=(build.status.name()) {
            h1 {
                "Build " (build.id) " "
                span role="status" aria-live="polite" { (badge(build.status)) }
            }
            p { code { (build.command) } }
            p.quiet {
                "Asked for " (time(build.queued)) @if build.origin == Origin::Terminal { " in a terminal" }
                @if build.revision.is_some() { " · " (commit(build)) }
                @if build.finished.is_some() && build.started.is_some() { " · took " (duration(build)) }
                @if let Some(code) = build.exit_code { " · exit code " (code) }
            }
            @if let Some(step) = &build.failed_step { p.problem { "Step " code { (step) } " failed." } }
            @if let Some(error) = &build.error { p.problem { (error) } }
            div.actions {
                @if !build.status.is_final() { button type="button" data-post="kill" { "Kill" } }
                button type="button" data-post="again" { "Run again" }
                a #waterfall href={ "/builds/" (build.id) "/waterfall" } { "Waterfall" }
                a #compare href={ "/compare?b=" (build.id) } { "Compare with the one before" }
                a href={ "/api/builds/" (build.id) "/export" } download { "JSON" }
            }
            @if !pushed.is_empty() { (images(pushed)) }
        }
    }
}

/// The steps; one that has not told of its end is `open`.
fn table(steps: &[Step], open: &str) -> Markup {
    html! {
        h2 { "Steps" }
        table {
            thead { tr { th { "Step" } th { "What it is for" } th { "Outcome" } th.number { "Seconds" } } }
            tbody {
                @for step in steps {
                    @let outcome = step.outcome.as_deref().unwrap_or(open);
                    tr {
                        td class=[step.part_of.as_ref().map(|_| "part")] { (step.name) }
                        td.wide { (step.why) }
                        td { span class={ "badge " (outcome) } { (outcome) } }
                        td.number { @if let Some(seconds) = step.seconds { (format!("{seconds:.2}")) } }
                    }
                }
            }
        }
    }
}
