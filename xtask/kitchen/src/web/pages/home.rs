//! The first page: what can be built, what runs and waits, what was.

use anyhow::Result;
use axum::extract::{Query, State};
use maud::{Markup, html};

use super::super::App;
use super::super::answer::Failure;
use super::super::wanted::Wanted;
use super::fields::{PROFILES, TASKS, choose, offered, select};
use super::{badge, commit, duration, frame, keys, time, top};
use crate::build::{Choices, Status};
use crate::store::{Build, Filter};

const ENGINES: [(&str, &str); 3] = [("", "As configured"), ("native", "Native"), ("buildkit", "BuildKit")];

const KEYS: [(&str, &str); 10] = [
    ("j", "next build"),
    ("k", "previous build"),
    ("Enter", "open it"),
    ("r", "run it again"),
    ("x", "kill it"),
    ("c", "choose it; compare once two are chosen"),
    ("t", "trends"),
    ("p", "publish"),
    ("/", "search the history"),
    ("?", "this list"),
];

/// The page.
pub(in crate::web) async fn home(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Markup, Failure> {
    let store = app.cook.store();
    let running = store.with_status(Status::Running).await?;
    let waiting = store.with_status(Status::Queued).await?;
    let (builds, has_more) = store.page(&Filter { is_over: true, ..wanted.filter() }).await?;
    Ok(frame(
        "Kitchen",
        &html! {
            (top(&html! { h1 { "Kitchen" } }, &html! { a href="/publish" aria-keyshortcuts="p" { "Publish" } }))
            main {
                p #said role="status" aria-live="polite" {}
                (order_form(app.cook.choices()))
                section #now aria-labelledby="now-title" {
                    h2 #now-title { "Now" }
                    (now(&running, &waiting))
                }
                section aria-labelledby="history-title" {
                    h2 #history-title { "History" }
                    (filters(&app, &wanted).await?)
                    div #history { (history(&builds)) (pager(&wanted, &builds, has_more)) }
                }
            }
            (keys(&KEYS))
            script src="/assets/home.js" type="module" {}
        },
    ))
}

fn order_form(choices: &Choices) -> Markup {
    html! {
        form #order aria-label="New build" {
            label.field { span { "Task" } (select("task", &TASKS, "")) }
            (choose("Databases", "backends", &choices.backends))
            (choose("Platforms", "platforms", &choices.platforms))
            label.field { span { "Engine" } (select("engine", &ENGINES, "")) }
            label.field { span { "Profile" } (select("profile", PROFILES, "")) }
            label.field { span { "Tag" } input name="tag" autocomplete="off" spellcheck="false" placeholder="none"; }
            div.actions {
                label { input type="checkbox" name="dry_run"; " Dry run" }
                button.main { "Build" }
            }
        }
    }
}

fn now(running: &[Build], waiting: &[Build]) -> Markup {
    if running.is_empty() && waiting.is_empty() {
        return html! { p.quiet { "Nothing runs, and nothing waits." } };
    }
    html! {
        ol.builds {
            @for build in running { (entry(build, &html! {})) }
            @for (at, build) in waiting.iter().enumerate() {
                (entry(build, &html! {
                    @if at > 0 { (mover(build.id, Some(waiting[at - 1].id), "Up")) }
                    @if at + 1 < waiting.len() { (mover(build.id, waiting.get(at + 2).map(|next| next.id), "Down")) }
                }))
            }
        }
    }
}

fn entry(build: &Build, more: &Markup) -> Markup {
    html! {
        li data-build=(build.id) {
            (badge(build.status))
            a href={ "/builds/" (build.id) } { "Build " (build.id) }
            code { (build.command) }
            span.actions {
                (more)
                button type="button" data-post="kill" aria-label={ "Kill build " (build.id) } { "Kill" }
            }
        }
    }
}

/// A button that puts a build before another in the queue, or at its end.
fn mover(build: i64, before: Option<i64>, word: &str) -> Markup {
    html! {
        button type="button" data-post="move" data-before=[before] aria-label={ (word) " in the queue: build " (build) } {
            (word)
        }
    }
}

async fn filters(app: &App, wanted: &Wanted) -> Result<Markup> {
    let store = app.cook.store();
    let statuses = Status::FINAL.iter().map(|status| status.name().to_owned()).collect();
    let backends = [&app.cook.choices().backends[..], &store.known_backends().await?].concat();
    let fields = [
        ("Status", "status", offered("Every status", statuses), &wanted.status),
        ("Database", "backend", offered("Every database", backends), &wanted.backend),
        ("Branch", "branch", offered("Every branch", store.branches().await?), &wanted.branch),
    ];
    Ok(html! {
        form.filters method="get" action="/" role="search" {
            @for (label, name, offered, chosen) in &fields {
                label { span.unseen { (label) } (select(name, offered, chosen)) }
            }
            label {
                span.unseen { "Search" }
                input #search type="search" name="text" value=(wanted.text) placeholder="command, commit or error";
            }
            button { "Filter" }
        }
    })
}

fn history(builds: &[Build]) -> Markup {
    if builds.is_empty() {
        return html! { p.quiet { "No build that is like that." } };
    }
    html! {
        table.builds {
            thead { tr { th { "Build" } th { "Status" } th { "Command" } th { "Commit" } th { "Asked for" } th.number { "Took" } th { span.unseen { "Compare" } } } }
            tbody {
                @for build in builds {
                    tr data-build=(build.id) {
                        td { a href={ "/builds/" (build.id) } { (build.id) } }
                        td { (badge(build.status)) }
                        td.wide { code { (build.command) } }
                        td { (commit(build)) }
                        td { (time(build.queued)) }
                        td.number { (duration(build)) }
                        td.choice { input type="checkbox" form="compare" name="build" value=(build.id) aria-label={ "Compare build " (build.id) }; }
                    }
                }
            }
        }
    }
}

/// Forms, since a browser writes their values into the address as they have to be written there.
fn pager(wanted: &Wanted, builds: &[Build], has_more: bool) -> Markup {
    let page = |before: Option<i64>, word: &str| {
        html! {
            form method="get" action="/" {
                @for (name, value) in wanted.choices() { input type="hidden" name=(name) value=(value); }
                @if let Some(before) = before { input type="hidden" name="before" value=(before); }
                button { (word) }
            }
        }
    };
    html! {
        nav.pager aria-label="Pages of the history" {
            @if wanted.before.is_some() { (page(None, "Latest")) }
            @if let (true, Some(last)) = (has_more, builds.last()) { (page(Some(last.id), "Older")) }
            form #compare method="get" action="/compare" { button { "Compare" } }
            a #trends href="/trends" { "Trends" }
            form method="get" action="/api/export" {
                @for (name, value) in wanted.choices() { input type="hidden" name=(name) value=(value); }
                button { "Export" }
            }
        }
    }
}
