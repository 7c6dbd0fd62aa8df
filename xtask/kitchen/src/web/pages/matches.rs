//! The lines of a log that match, for who has no script, or wants a list.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::super::App;
use super::super::answer::{Failure, nothing_here};
use super::super::search::{Outcome, Sought, find};
use super::{frame, keys, trail};
use crate::log::{Found, Match};

const KEYS: [(&str, &str); 3] = [("/", "search"), ("b", "back to the build"), ("?", "this list")];

/// The page.
pub(in crate::web) async fn matches(
    State(app): State<App>,
    Path(id): Path<i64>,
    Query(sought): Query<Sought>,
) -> Result<Response, Failure> {
    let (status, body) = match find(&app, id, &sought).await? {
        Outcome::Nothing => return Ok(nothing_here().await),
        Outcome::Refused(status, why) => (status, html! { p.problem { (why) } }),
        Outcome::Found(found) => (axum::http::StatusCode::OK, list(id, &sought, &found)),
    };
    let page = frame(
        &format!("Build {id}: {}", sought.search),
        &html! {
            link rel="stylesheet" href="/assets/logs.css";
            (trail(&html! { " / " a #build href={ "/builds/" (id) } { "Build " (id) } " / Search" }))
            main {
                h1 { "Search in build " (id) }
                p #said role="status" aria-live="polite" {}
                form.filters method="get" role="search" {
                    label {
                        span.unseen { "Regular expression" }
                        input type="search" name="search" value=(sought.search) placeholder="regular expression";
                    }
                    button { "Search" }
                }
                (body)
            }
            (keys(&KEYS))
            script src="/assets/matches.js" type="module" {}
        },
    );
    Ok((status, page).into_response())
}

fn list(id: i64, sought: &Sought, found: &Found) -> Markup {
    let to = found.before + found.matches.len() as u64;
    html! {
        p {
            @if found.count == 0 { "None of " (found.lines) " lines matches." }
            @else { "Lines " (found.before + 1) " to " (to) " of " (found.count) " that match, in " (found.lines) "." }
            @if !found.is_whole { " There was no time for the rest of the log." }
        }
        ol.matches {
            @for one in &found.matches {
                li {
                    a.at href={ "/builds/" (id) "#L" (one.line) } { (one.line) }
                    code { (marked(one)) }
                }
            }
        }
        nav.pager aria-label="Pages of the matches" {
            // Half of a page is before the line that it is near.
            @if let (true, Some(first)) = (found.before > 0, found.matches.first()) {
                (page(sought, first.line.saturating_sub(1).max(1), "Earlier"))
            }
            @if let (true, Some(last)) = (to < found.count, found.matches.last()) {
                (page(sought, last.line + 1, "Later"))
            }
        }
    }
}

fn page(sought: &Sought, near: u64, word: &str) -> Markup {
    html! {
        form method="get" {
            input type="hidden" name="search" value=(sought.search);
            input type="hidden" name="near" value=(near);
            button { (word) }
        }
    }
}

/// The text of a line, with what matches marked.
fn marked(found: &Match) -> Markup {
    let units: Vec<u16> = found.text.encode_utf16().collect();
    let text = |from: usize, to: usize| String::from_utf16_lossy(units.get(from..to).unwrap_or_default());
    let begins = std::iter::once(0).chain(found.ranges.iter().map(|(_, end)| *end));
    let last = found.ranges.last().map_or(0, |(_, end)| *end);
    html! {
        @for (begin, (start, end)) in begins.zip(&found.ranges) {
            (text(begin, *start)) mark { (text(*start, *end)) }
        }
        (text(last, units.len()))
    }
}
