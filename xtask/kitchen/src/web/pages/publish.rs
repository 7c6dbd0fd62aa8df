//! The page that leads from the commits since the last release to an image in a registry.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::super::App;
use super::super::answer::{Failure, nothing_here};
use super::super::publications::{LISTED, Shown};
use super::fields::{PROFILES, choose, select};
use super::stages::stages;
use super::{frame, keys, time, trail};
use crate::build::Choices;
use crate::publish::State as How;
use crate::store::Publication;

const KEYS: [(&str, &str); 4] = [
    ("n", "a new publication"),
    ("c", "to what is confirmed"),
    ("h", "back to the first page"),
    ("?", "this list"),
];

/// The page of the latest publication.
pub(in crate::web) async fn publish(State(app): State<App>) -> Result<Response, Failure> {
    let latest = app.cook.store().publications(LISTED).await?;
    page(&app, latest.first().cloned(), &latest).await
}

/// The page of one.
pub(in crate::web) async fn publication(
    State(app): State<App>,
    Path(id): Path<i64>,
) -> Result<Response, Failure> {
    let store = app.cook.store();
    let Some(publication) = store.publication(id).await? else { return Ok(nothing_here().await) };
    page(&app, Some(publication), &store.publications(LISTED).await?).await
}

async fn page(
    app: &App,
    publication: Option<Publication>,
    latest: &[Publication],
) -> Result<Response, Failure> {
    let shown = match publication {
        Some(publication) => Some(Shown::of(app, publication).await?),
        None => None,
    };
    let title = shown.as_ref().map_or("Publish".to_owned(), |shown| {
        format!("Publication {}: {}", shown.publication.id, shown.publication.state.name())
    });
    let page = frame(
        &title,
        &html! {
            link rel="stylesheet" href="/assets/publish.css";
            (trail(&html! { " / Publish" }))
            main {
                p #said role="status" aria-live="polite" {}
                section #publication data-id=[shown.as_ref().map(|shown| shown.publication.id)]
                    data-open=[shown.as_ref().filter(|shown| shown.publication.state.is_under_way()).map(|_| "true")] {
                    @match &shown {
                        Some(shown) => { (head(&shown.publication)) (stages(shown)) },
                        None => h1 { "Publish" },
                    }
                }
                section aria-labelledby="new-title" {
                    h2 #new-title { "New publication" }
                    p.quiet {
                        "Finds out the next version, what the registry can do, and what a push would upload. "
                        "Nothing is pushed before you confirm it."
                    }
                    (form(app.cook.choices()))
                }
                section #earlier aria-labelledby="earlier-title" {
                    h2 #earlier-title { "Publications" }
                    (earlier(latest))
                }
            }
            (keys(&KEYS))
            script src="/assets/publish.js" type="module" {}
        },
    );
    Ok(page.into_response())
}

fn head(publication: &Publication) -> Markup {
    html! {
        h1 { "Publication " (publication.id) " " span role="status" aria-live="polite" { (badge(publication.state)) } }
        p.quiet {
            "Begun " (time(publication.begun))
            @if let Some(confirmed) = publication.confirmed { " · confirmed " (time(confirmed)) }
            @if let Some(ended) = publication.ended { " · ended " (time(ended)) }
        }
        @if let Some(problem) = &publication.problem { p.problem { (problem) } }
        @if publication.state == How::Superseded { p.quiet { "Another was begun before this one was confirmed." } }
    }
}

/// How it stands with a publication, in the colours of builds.
fn badge(state: How) -> Markup {
    let colour = match state {
        How::Published => "done",
        How::Failed => "failed",
        How::Preparing | How::Pushing | How::Verifying => "running",
        How::Ready | How::Superseded => "",
    };
    html! { span class={ "badge " (colour) } { (state.name()) } }
}

fn form(choices: &Choices) -> Markup {
    html! {
        form #begin.order aria-label="New publication" {
            (choose("Databases", "backends", &choices.backends))
            (choose("Platforms", "platforms", &choices.platforms))
            label.field { span { "Profile" } (select("profile", PROFILES, "")) }
            label.field {
                span { "Further tag" }
                input name="tag" autocomplete="off" spellcheck="false" placeholder="none";
            }
            div.actions {
                label { input type="checkbox" name="rebuild" checked; " Verify by building again" }
                button.main { "Prepare" }
            }
        }
    }
}

fn earlier(latest: &[Publication]) -> Markup {
    if latest.is_empty() {
        return html! { p.quiet { "Nothing was published from here yet." } };
    }
    html! {
        table {
            thead { tr { th { "Publication" } th { "State" } th { "Begun" } th { "What went wrong" } } }
            tbody {
                @for one in latest {
                    tr {
                        td { a href={ "/publish/" (one.id) } { "Publication " (one.id) } }
                        td { (badge(one.state)) }
                        td { (time(one.begun)) }
                        td { (one.problem.as_deref().unwrap_or_default()) }
                    }
                }
            }
        }
    }
}
