//! The log on the page of a build; its script fills it.

use maud::{Markup, html};

/// The log, with what it takes to move in it.
pub(super) fn log(id: i64) -> Markup {
    html! {
        link rel="stylesheet" href="/assets/logs.css";
        section aria-labelledby="log-title" {
            div.bar {
                h2 #log-title { "Log" }
                span #link.quiet role="status" aria-live="polite" {}
                (search(id))
                button #follow type="button" aria-pressed="true" { "Follow" }
                a href={ "/api/builds/" (id) "/log" } download={ "build-" (id) ".log" } { "Raw log" }
            }
            div #lost hidden {
                p role="alert" {}
                button type="button" { "Try now" }
            }
            div #log tabindex="0" role="region" aria-label="Log" {
                div #space { div #window {} }
            }
            noscript { p { "Without a script there is the raw log, and the search, which lists lines." } }
        }
    }
}

/// Without a script, it leads to a list.
fn search(id: i64) -> Markup {
    html! {
        form #find method="get" action={ "/builds/" (id) "/matches" } role="search" {
            label {
                span.unseen { "Search the log: a regular expression" }
                input type="search" name="search" placeholder="search: a regular expression" maxlength="1000"
                    autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="hits"
                    title="A regular expression; case counts if it has an upper-case letter";
            }
            span.steps hidden {
                button #previous type="button" aria-label="Previous match" aria-keyshortcuts="N" { "↑" }
                button #next type="button" aria-label="Next match" aria-keyshortcuts="n" { "↓" }
                button { "List" }
            }
            output #hits {}
        }
    }
}
