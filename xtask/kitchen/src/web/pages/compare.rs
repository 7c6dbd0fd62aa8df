//! Two builds side by side.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::super::App;
use super::super::answer::{Failure, nothing_here, refused};
use super::details::{parameter, share};
use super::units::{bytes, seconds, signed};
use super::{badge, commit, duration, frame, keys, time, trail};
use crate::build::Package;
use crate::compare::{self, Change, Dependency};
use crate::store::Record;

const KEYS: [(&str, &str); 4] =
    [("/", "choose other builds"), ("s", "change sides"), ("h", "back to the history"), ("?", "this list")];

/// How many rows a table has at most before the rest is folded away, as are those that are the same.
const ROWS: usize = 25;

/// The two builds of a query: `a` and `b`, or each as `build`, as check boxes send them. With one alone, it is the second.
fn pair(query: &str) -> Option<(Option<i64>, i64)> {
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let numbers = |name: &str| -> Vec<i64> {
        fields
            .clone()
            .filter(|(field, _)| *field == name)
            .filter_map(|(_, value)| value.parse().ok())
            .collect()
    };
    let (a, b) = (numbers("a"), numbers("b"));
    let mut chosen = numbers("build");
    chosen.sort_unstable();
    match (a.first(), b.first(), chosen.as_slice()) {
        (a, Some(b), []) => Some((a.copied(), *b)),
        (None, None, [a, b]) => Some((Some(*a), *b)),
        (None, None, [b]) => Some((None, *b)),
        _ => None,
    }
}

/// The page.
pub(in crate::web) async fn compare(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let Some((before, after)) = pair(query.as_deref().unwrap_or_default()) else {
        return Ok(refused(StatusCode::BAD_REQUEST, "Choose two builds: /compare?a=1&b=2"));
    };
    let store = app.cook.store();
    let before = match before {
        Some(before) => Some(before),
        None => store.like(after).await?,
    };
    let Some(before) = before else {
        return Ok(refused(
            StatusCode::NOT_FOUND,
            "No build before this one did the same: choose one in the history.",
        ));
    };
    let (Some(a), Some(b)) = (store.record(before).await?, store.record(after).await?) else {
        return Ok(nothing_here().await);
    };
    let packages = match a.lock == b.lock {
        true => None,
        false => Some((store.packages(before).await?, store.packages(after).await?)),
    };
    Ok(page(&a, &b, packages.as_ref()).into_response())
}

fn page(a: &Record, b: &Record, packages: Option<&(Vec<Package>, Vec<Package>)>) -> Markup {
    let (before, after) = (a.build.id, b.build.id);
    frame(
        &format!("Builds {before} and {after}"),
        &html! {
            link rel="stylesheet" href="/assets/history.css";
            (trail(&html! { " / Compare" }))
            main {
                h1 { "Builds " (before) " and " (after) }
                p #said role="status" aria-live="polite" {}
                form.filters #filters method="get" action="/compare" {
                    label { "From " input type="number" name="a" min="1" value=(before) required; }
                    label { "to " input type="number" name="b" min="1" value=(after) required; }
                    button { "Compare" }
                    a #swap href={ "/compare?a=" (after) "&b=" (before) } { "Change sides" }
                }
                (facts(a, b))
                (changes("Steps", "Step", &compare::steps(a, b), time_of))
                (changes("Crates", "Crate", &compare::crates(a, b), time_of))
                (changes("Layers", "Layer", &compare::layers(a, b), bytes))
                (changes("Binaries", "Binary", &compare::artifacts(a, b), bytes))
                (dependencies(a, b, packages))
            }
            (keys(&KEYS))
            script src="/assets/compare.js" type="module" {}
        },
    )
}

fn time_of(milliseconds: f64) -> String {
    seconds(milliseconds / 1000.0)
}

fn facts(a: &Record, b: &Record) -> Markup {
    let row = |name: &str, of: &dyn Fn(&Record) -> Markup| {
        let (before, after) = (of(a), of(b));
        let is_same = before.0 == after.0;
        html! {
            tr.same[is_same] { th scope="row" { (name) } td { (before) } td { (after) } }
        }
    };
    let asked = |name: &'static str| move |record: &Record| html! { (parameter(&record.request, name)) };
    html! {
        table.facts {
            thead { tr {
                th { span.unseen { "Fact" } }
                @for id in [a.build.id, b.build.id] { th { a href={ "/builds/" (id) } { "Build " (id) } } }
            } }
            tbody {
                (row("Result", &|record| badge(record.build.status)))
                (row("Took", &|record| html! { (duration(&record.build)) }))
                (row("Asked for", &|record| time(record.build.queued)))
                (row("Task", &asked("task")))
                (row("Databases", &|record| html! { (record.backends.join(", ")) }))
                (row("Platforms", &asked("platforms")))
                (row("Engine", &asked("engine")))
                (row("Profile", &asked("profile")))
                (row("Tag", &asked("tag")))
                (row("Commit", &|record| commit(&record.build)))
            }
        }
    }
}

/// What both or one of them has, the largest difference first.
fn changes(title: &str, one: &str, changes: &[Change], unit: fn(f64) -> String) -> Markup {
    let most = changes.iter().map(|change| change.difference().abs()).max().unwrap_or(0);
    let differing = changes.iter().take_while(|change| change.difference() != 0).count();
    let (first, more) = changes.split_at(differing.min(ROWS));
    let table = |rows: &[Change]| {
        html! {
            table.changes {
                thead { tr { th { (one) } th.number { "Before" } th.number { "After" } th.number { "Difference" } th.number { "Ratio" } th { span.unseen { "Share" } } } }
                tbody { @for change in rows { (self::change(change, unit, most)) } }
            }
        }
    };
    html! {
        section {
            h2 { (title) }
            @if changes.is_empty() {
                p.quiet { "Neither of them has any." }
            } @else if first.is_empty() {
                p.quiet { "Both have the same." }
            } @else {
                (table(first))
            }
            @if !more.is_empty() { details { summary { (more.len()) " that differ less, or not" } (table(more)) } }
        }
    }
}

fn change(change: &Change, unit: fn(f64) -> String, most: i64) -> Markup {
    let difference = change.difference();
    let way = match difference {
        d if d > 0 => "more",
        d if d < 0 => "less",
        _ => "same",
    };
    let side = |value: Option<i64>| value.map_or_else(|| "–".to_owned(), |value| unit(value as f64));
    html! {
        tr.(way) {
            th scope="row" { (change.name) @if !change.within.is_empty() && !change.name.starts_with(&change.within) { " " span.quiet { (change.within) } } }
            td.number { (side(change.before)) }
            td.number { (side(change.after)) }
            td.number.difference { (signed(difference as f64, unit)) }
            td.number { @if let Some(ratio) = change.ratio() { (format!("{ratio:.2}×")) } }
            td.share { svg.share aria-hidden="true" { rect class=(way) height="100%" width=(share(difference.abs(), most)) {} } }
        }
    }
}

fn dependencies(a: &Record, b: &Record, packages: Option<&(Vec<Package>, Vec<Package>)>) -> Markup {
    let text = match (packages, &a.lock, &b.lock) {
        (_, None, _) | (_, _, None) => Some("Of one of them no Cargo.lock is known."),
        (None, ..) => Some("Both have the same Cargo.lock."),
        _ => None,
    };
    let changes = packages.map(|(before, after)| compare::dependencies(before, after)).unwrap_or_default();
    html! {
        section {
            h2 { "Dependencies" }
            @if let Some(text) = text {
                p.quiet { (text) }
            } @else if changes.is_empty() {
                p.quiet { "Both have the same packages." }
            } @else {
                table.packages {
                    thead { tr { th { "Package" } th { "Change" } th { "Before" } th { "After" } } }
                    tbody {
                        @for change in &changes { (dependency(change)) }
                    }
                }
            }
        }
    }
}

fn dependency(change: &Dependency) -> Markup {
    let versions = |versions: &[String]| html! { (versions.join(", ")) };
    html! {
        tr.(change.verb()) {
            th scope="row" { (change.name) }
            td { (change.verb()) }
            td { (versions(&change.before)) }
            td { (versions(&change.after)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_builds_are_named_in_several_ways() {
        assert_eq!(pair("a=1&b=2"), Some((Some(1), 2)));
        assert_eq!(pair("build=7&build=3"), Some((Some(3), 7)));
        assert_eq!(pair("b=2"), Some((None, 2)));
        assert_eq!(pair("build=2"), Some((None, 2)));
        for none in ["", "a=1", "a=x&b=y", "build=1&build=2&build=3", "b=%31"] {
            assert_eq!(pair(none), None, "{none}");
        }
    }
}
