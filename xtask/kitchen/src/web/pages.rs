//! Pages for people: HTML that is whole without its script.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::App;
use super::answer::{Failure, nothing_here};
use crate::build::Choices;
use crate::store::Build;

/// The first page: what can be built, what waits, what was.
pub(super) async fn home(State(app): State<App>) -> Result<Markup, Failure> {
    let builds = app.cook.store().latest(50).await?;
    Ok(frame(
        "Kitchen",
        &html! {
            main {
                h1 { "Kitchen" }
                (order_form(app.cook.choices()))
                h2 { "Builds" }
                (table(&builds))
            }
            script src="/assets/kitchen.js" defer {}
        },
    ))
}

/// One build.
pub(super) async fn build(State(app): State<App>, Path(id): Path<i64>) -> Result<Response, Failure> {
    let store = app.cook.store();
    let Some(build) = store.build(id).await? else { return Ok(nothing_here().await) };
    let steps = store.steps(id).await?;
    let page = frame(
        &format!("Build {id}"),
        &html! {
            main {
                p { a href="/" { "All builds" } }
                h1 { "Build " (id) }
                p { code { (build.command) } " is " strong { (build.status.name()) } }
                table {
                    thead { tr { th { "step" } th { "what it is for" } th { "outcome" } th.number { "seconds" } } }
                    tbody {
                        @for step in &steps {
                            tr {
                                td { (step.name) }
                                td { (step.why) }
                                td { (step.outcome.as_deref().unwrap_or("runs")) }
                                td.number { @if let Some(seconds) = step.seconds { (format!("{seconds:.2}")) } }
                            }
                        }
                    }
                }
                p { a href={ "/api/builds/" (id) "/log" } { "The log" } }
            }
        },
    );
    Ok(page.into_response())
}

/// A page with what all have.
pub(super) fn frame(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href="/assets/kitchen.css";
            }
            body { (body) }
        }
    }
}

fn order_form(choices: &Choices) -> Markup {
    html! {
        form #order {
            label { "What " select name="task" {
                option value="bd" { "image, for this machine" }
                option value="bdp" { "image for every platform, pushed" }
                option value="build" { "only the binary" }
                option value="check" { "the whole gate" }
            } }
            fieldset {
                legend { "Databases" }
                @for backend in &choices.backends {
                    label { input type="checkbox" name="backends" value=(backend); " " (backend) }
                }
            }
            fieldset {
                legend { "Platforms" }
                @for platform in &choices.platforms {
                    label { input type="checkbox" name="platforms" value=(platform); " " (platform) }
                }
            }
            label { "Tag " input name="tag" autocomplete="off"; }
            label { input type="checkbox" name="dry_run"; " only show the plan" }
            button { "Build" }
            p #said role="status" {}
        }
    }
}

fn table(builds: &[Build]) -> Markup {
    html! {
        table #builds {
            thead { tr { th { "build" } th { "command" } th { "status" } th { "commit" } } }
            tbody {
                @for build in builds {
                    tr {
                        td { a href={ "/builds/" (build.id) } { (build.id) } }
                        td { code { (build.command) } }
                        td { (build.status.name()) }
                        td {
                            (build.revision.as_deref().unwrap_or("").chars().take(9).collect::<String>())
                            @if build.dirty { " and changes" }
                        }
                    }
                }
            }
        }
    }
}
