//! How time and size went from build to build.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::App;
use super::super::answer::Failure;
use super::super::wanted::Wanted;
use super::chart::{Chart, Point, median};
use super::fields::{TASKS, offered, select};
use super::units::{bytes, clock, seconds};
use super::{badge, frame, keys, time, trail};
use crate::build::Status;
use crate::store::{Measure, Trend};

const KEYS: [(&str, &str); 3] = [("/", "choose"), ("h", "back to the history"), ("?", "this list")];

/// By what builds are told apart, and what is shown for it.
const BY: [(&str, &str); 4] =
    [("task", "Task"), ("backend", "Database"), ("engine", "Engine"), ("branch", "Branch")];

/// How many colours there are; what is rarer than the others shares the last.
const COLOURS: usize = 6;

/// What else a form of this page sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Shown {
    by: String,
}

/// The page.
pub(in crate::web) async fn trends(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    Query(Shown { by }): Query<Shown>,
) -> Result<Markup, Failure> {
    let store = app.cook.store();
    let filter = wanted.filter();
    let trend = store.trend(&filter).await?;
    let builds: Vec<i64> = trend.iter().map(|build| build.id).collect();
    let images = store.image_sizes(&builds, filter.platform.as_deref()).await?;
    let artifacts = store.artifact_sizes(&builds).await?;
    let series = Series::new(&trend, &by);
    Ok(frame(
        "Kitchen: trends",
        &html! {
            link rel="stylesheet" href="/assets/history.css";
            (trail(&html! { " / Trends" }))
            main {
                h1 { "Trends" }
                p #said role="status" aria-live="polite" {}
                (filters(&app, &wanted, &by).await?)
                @if trend.is_empty() {
                    p.quiet { "No build that is like that has come to its end." }
                } @else {
                    (summary(&trend, &series))
                    (section("Time", &times(&trend, &series), clock, true, &builds))
                    (section("Images, compressed", &sizes(&trend, &series, &images), bytes, false, &builds))
                    (section("Binaries", &sizes(&trend, &series, &artifacts), bytes, false, &builds))
                    (table(&trend, &images, &artifacts))
                }
            }
            (keys(&KEYS))
            script src="/assets/trends.js" type="module" {}
        },
    ))
}

/// Which colour each build has.
struct Series {
    /// The names, the most frequent first.
    names: Vec<String>,
    of_build: HashMap<i64, usize>,
}

impl Series {
    fn new(trend: &[Trend], by: &str) -> Series {
        let name = |build: &Trend| match by {
            "backend" => build.backends.clone(),
            "engine" => build.engine.clone().unwrap_or_else(|| "as configured".to_owned()),
            "branch" => build.branch.clone().unwrap_or_else(|| "no branch".to_owned()),
            _ => build.task.clone(),
        };
        let mut counts = BTreeMap::<String, usize>::new();
        for build in trend {
            *counts.entry(name(build)).or_default() += 1;
        }
        let mut names: Vec<(String, usize)> = counts.into_iter().collect();
        names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
        let place = |build: &Trend| names.iter().position(|known| *known == name(build)).unwrap_or_default();
        let of_build = trend.iter().map(|build| (build.id, place(build).min(COLOURS - 1))).collect();
        if names.len() > COLOURS {
            names.truncate(COLOURS - 1);
            names.push("others".to_owned());
        }
        Series { names, of_build }
    }

    fn of(&self, build: i64) -> usize {
        self.of_build.get(&build).copied().unwrap_or_default()
    }
}

async fn filters(app: &App, wanted: &Wanted, by: &str) -> Result<Markup> {
    let store = app.cook.store();
    let choices = app.cook.choices();
    let backends = [&choices.backends[..], &store.known_backends().await?].concat();
    let tasks = [("", "Every task")].into_iter().chain(TASKS).collect::<Vec<_>>();
    let fields = [
        ("Database", "backend", offered("Every database", backends), &wanted.backend),
        ("Platform", "platform", offered("Every platform", choices.platforms.clone()), &wanted.platform),
        ("Branch", "branch", offered("Every branch", store.branches().await?), &wanted.branch),
    ];
    Ok(html! {
        form.filters #filters method="get" action="/trends" role="search" {
            label { "By " (select("by", &BY, by)) }
            label { span.unseen { "Task" } (select("task", &tasks, &wanted.task)) }
            @for (label, name, offered, chosen) in &fields {
                label { span.unseen { (label) } (select(name, offered, chosen)) }
            }
            button { "Show" }
        }
    })
}

/// What the colours mean, with a few numbers.
fn summary(trend: &[Trend], series: &Series) -> Markup {
    let of = |place: usize| trend.iter().filter(move |build| series.of(build.id) == place);
    html! {
        table.summary {
            caption.unseen { "What the colours of the charts mean" }
            thead { tr { th { "Builds" } th.number { "Count" } th.number { "Failed" } th.number { "Median" } th.number { "Latest" } } }
            tbody {
                @for (place, name) in series.names.iter().enumerate() {
                    @let done = of(place).filter(|build| build.status == Status::Done);
                    @let median = median(done.map(took));
                    tr {
                        th scope="row" { svg.swatch aria-hidden="true" { rect class={ "s" (place) } width="100%" height="100%" {} } " " (name) }
                        td.number { (of(place).count()) }
                        td.number { (of(place).filter(|build| build.status == Status::Failed).count()) }
                        td.number { @if let Some(median) = median { (seconds(median)) } }
                        td.number { @if let Some(last) = of(place).next_back() { (seconds(took(last))) } }
                    }
                }
            }
        }
    }
}

fn section(title: &str, points: &[Point], unit: fn(f64) -> String, is_time: bool, builds: &[i64]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if points.is_empty() {
                p.quiet { "None of these builds made any." }
            } @else {
                (Chart { title, unit, is_time, builds, points }.draw())
            }
        }
    }
}

fn took(build: &Trend) -> f64 {
    build.took as f64 / 1000.0
}

fn times(trend: &[Trend], series: &Series) -> Vec<Point> {
    let point = |(place, build): (usize, &Trend)| Point {
        build: build.id,
        place,
        series: series.of(build.id),
        value: took(build),
        is_failed: build.status == Status::Failed,
        title: format!(
            "Build {}: {} {}, {}, {}",
            build.id,
            build.task,
            build.backends,
            build.status.name(),
            seconds(took(build))
        ),
    };
    trend.iter().enumerate().map(point).collect()
}

fn sizes(trend: &[Trend], series: &Series, measures: &[Measure]) -> Vec<Point> {
    let places: HashMap<i64, usize> =
        trend.iter().enumerate().map(|(place, build)| (build.id, place)).collect();
    let point = |measure: &Measure| {
        let place = *places.get(&measure.build)?;
        Some(Point {
            build: measure.build,
            place,
            series: series.of(measure.build),
            value: measure.size as f64,
            is_failed: trend[place].status == Status::Failed,
            title: format!("Build {}: {}, {}", measure.build, measure.name, bytes(measure.size as f64)),
        })
    };
    measures.iter().filter_map(point).collect()
}

/// The same values as text, the last build first.
fn table(trend: &[Trend], images: &[Measure], artifacts: &[Measure]) -> Markup {
    let cell = |measures: &[Measure], build: i64| {
        let texts = measures.iter().filter(|measure| measure.build == build);
        texts
            .map(|measure| format!("{} {}", measure.name, bytes(measure.size as f64)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    html! {
        details.numbers {
            summary { "The same as a table" }
            table {
                thead { tr { th { "Build" } th { "Status" } th { "Task" } th { "For" } th { "Asked for" } th.number { "Took" } th { "Images" } th { "Binaries" } } }
                tbody {
                    @for build in trend.iter().rev() {
                        tr {
                            td { a href={ "/builds/" (build.id) } { (build.id) } }
                            td { (badge(build.status)) }
                            td { (build.task) }
                            td { (build.backends) }
                            td { (time(build.queued)) }
                            td.number { (seconds(took(build))) }
                            td { (cell(images, build.id)) }
                            td { (cell(artifacts, build.id)) }
                        }
                    }
                }
            }
        }
    }
}
