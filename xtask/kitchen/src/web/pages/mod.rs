//! Pages for people: HTML that is whole without its script. Every value is escaped where it is put in.

mod build;
mod chart;
mod compare;
mod details;
mod fields;
mod home;
mod images;
mod log;
mod matches;
mod publish;
mod stages;
mod trends;
mod units;
mod waterfall;

use image_spec::time::rfc3339;
use maud::{DOCTYPE, Markup, html};

use crate::build::Status;
use crate::store::Build;

pub(super) use build::build;
pub(super) use compare::compare;
pub(super) use home::home;
pub(super) use matches::matches;
pub(super) use publish::{publication, publish};
pub(super) use trends::trends;
pub(super) use waterfall::waterfall;

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
                link rel="icon" href="/assets/icon.svg";
                link rel="stylesheet" href="/assets/kitchen.css";
            }
            body { (body) }
        }
    }
}

/// What every page begins with: where one is and where one can go, notifications, and the keys.
fn top(place: &Markup, links: &Markup) -> Markup {
    html! {
        header.top {
            (place)
            div.actions {
                (links)
                button #notify type="button" aria-pressed="false" title="Tells when a build that took long has ended" hidden { "Notify me" }
                button #help type="button" aria-keyshortcuts="?" { "Keys" }
            }
        }
        script src="/assets/notify.js" type="module" {}
    }
}

/// Where a page is, below the first one.
fn trail(below: &Markup) -> Markup {
    let place = html! { nav aria-label="Where you are" { a href="/" { "Kitchen" } (below) } };
    top(&place, &html! {})
}

/// The keys of a page, in a dialog that its script opens.
fn keys(keys: &[(&str, &str)]) -> Markup {
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl {
                @for (key, what) in keys { div { dt { kbd { (key) } } dd { (what) } } }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}

/// How it stands with a build, as a word with a colour.
fn badge(status: Status) -> Markup {
    html! { span class={ "badge " (status.name()) } { (status.name()) } }
}

/// A time in UTC, which the script shows in the reader's own.
fn time(milliseconds: i64) -> Markup {
    let text = rfc3339(u64::try_from(milliseconds / 1000).unwrap_or_default());
    html! { time datetime=(text) { (text) } }
}

/// How long a build ran, for people; nothing before it has begun.
fn duration(build: &Build) -> String {
    let (Some(started), Some(finished)) = (build.started, build.finished) else { return String::new() };
    let seconds = (finished - started).max(0) / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// What was built: branch and commit, as far as they are known.
fn commit(build: &Build) -> Markup {
    html! {
        @if let Some(branch) = &build.branch { (branch) " " }
        @if let Some(revision) = &build.revision {
            code { (revision.chars().take(9).collect::<String>()) }
        }
        @if build.dirty { " and changes" }
    }
}
