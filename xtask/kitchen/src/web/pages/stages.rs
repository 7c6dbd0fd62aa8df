//! The stages of a publication, one below the other.

use maud::{Markup, html};

use super::super::publications::{Published, Shown};
use super::badge;
use super::images::images;
use super::units::bytes;
use crate::build::finding::{Registry, Release};
use crate::publish::{Confirmation, Stage, State};
use crate::store::Pushed;

/// All of them, those to come as well.
pub(super) fn stages(shown: &Shown) -> Markup {
    let is_dirty = shown.confirmation.as_ref().is_some_and(|shown| shown.dirty);
    html! {
        ol.stages {
            (stage(shown, Stage::Release, "Version", &html! {
                @if let Some(release) = &shown.release { (version(release)) }
            }))
            (stage(shown, Stage::Registry, "Registry", &html! {
                @if let Some(registry) = &shown.registry { (account(registry)) }
            }))
            (stage(shown, Stage::DryRun, "Dry run of the push", &html! {
                @if !shown.planned.is_empty() { (planned(&shown.planned)) }
            }))
            @if let Some(confirmation) = &shown.confirmation { (confirm(shown, confirmation)) }
            (stage(shown, Stage::Push, "Push", &html! {
                @if !shown.pushed.is_empty() { (pushed(&shown.pushed)) }
            }))
            (stage(shown, Stage::Verify, "Verification", &html! {
                @if shown.publication.state == State::Published {
                    p { "What is in the registry is what it should be." }
                } @else if is_dirty {
                    p.quiet { "An image of files that no commit has gets no provenance, which a verification says." }
                }
            }))
        }
    }
}

fn stage(shown: &Shown, stage: Stage, title: &str, content: &Markup) -> Markup {
    let parts = shown.parts.iter().filter(|part| part.stage == stage).collect::<Vec<_>>();
    html! {
        li.stage aria-label=(title) {
            div.bar {
                h2 { (title) }
                @for part in &parts {
                    span.part { (badge(part.build.status)) " " a href={ "/builds/" (part.build.id) } { "Build " (part.build.id) } }
                }
                @if parts.is_empty() { span.quiet { @if shown.publication.state.is_final() { "did not happen" } @else { "to come" } } }
            }
            (content)
        }
    }
}

fn version(release: &Release) -> Markup {
    html! {
        p.large {
            @match (&release.last, &release.next) {
                (Some(last), Some(next)) => { (last) " → " strong { (next) } },
                (None, Some(next)) => { strong { (next) } },
                (Some(last), None) => { strong { (last) } },
                (None, None) => {},
            }
            span.quiet { " " (release.why) }
        }
        @for warning in &release.warnings { p.warning { "Warning: " (warning) } }
        @if !release.changes.is_empty() {
            table {
                thead { tr { th { "Commit" } th { "What it says" } th { "What it raises, and why" } } }
                tbody {
                    @for change in &release.changes {
                        tr {
                            td { code { (change.commit.get(..9).unwrap_or(&change.commit)) } }
                            td { (change.subject) }
                            td { (change.reason.as_deref().unwrap_or("–")) }
                        }
                    }
                }
            }
        }
        @if let Some(next) = &release.next {
            p.note {
                "A push takes the version that Cargo.toml has, " strong { (release.current) } ". To publish " (next)
                " as a release, make it first: " code { "cargo xtask release --execute" } ", and begin anew."
            }
        }
        @if !release.obstacles.is_empty() {
            details {
                summary { "What stands in the way of a release" }
                ul { @for obstacle in &release.obstacles { li { (obstacle) } } }
            }
        }
    }
}

fn account(registry: &Registry) -> Markup {
    let who = match (&*registry.credentials, &registry.account) {
        ("none", _) => "nobody: no credentials were found".to_owned(),
        (_, Some(account)) => account.clone(),
        ("token", None) => "a token, which does not say whose it is".to_owned(),
        _ => "credentials that do not say whose they are".to_owned(),
    };
    html! {
        dl.facts {
            div { dt { "Repository" } dd { code { (registry.repository) } } }
            div { dt { "Account" } dd { (who) } }
            @if let Some(place) = &registry.found_in { div { dt { "Found in" } dd { (place) } } }
        }
        @if let Some(problem) = &registry.problem { p.problem { (problem) } }
        @if !registry.features.is_empty() {
            ul.features {
                @for feature in &registry.features {
                    li {
                        @match &feature.refusal {
                            None => { span.badge.done { "yes" } " " (feature.feature) },
                            Some(refusal) => {
                                span.badge.failed { "no" } " " (feature.feature)
                                span.quiet { " " (refusal) "; " (feature.advice) }
                            },
                        }
                    }
                }
            }
        }
    }
}

fn planned(planned: &[Pushed]) -> Markup {
    let sum = |part: fn(&Pushed) -> i64| bytes(planned.iter().map(part).sum::<i64>() as f64);
    html! {
        p.large {
            strong { (sum(|image| image.uploaded)) } " to upload"
            span.quiet {
                ", " (sum(|image| image.mounted)) " to mount, " (sum(|image| image.present)) " already there"
            }
        }
        (images(planned))
    }
}

/// What exactly is confirmed, and the button that does.
fn confirm(shown: &Shown, confirmation: &Confirmation) -> Markup {
    let is_ready = shown.publication.state == State::Ready;
    let source = confirmation
        .revision
        .as_deref()
        .map_or("files that git does not know", |revision| revision.get(..9).unwrap_or(revision));
    html! {
        li.stage #confirm aria-label="Confirmation" {
            div.bar {
                h2 { "Confirmation" }
                @if shown.publication.confirmed.is_some() { span.badge.done { "confirmed" } }
                @else if !is_ready { span.quiet { "did not happen" } }
            }
            p { "From " code { (source) } @if confirmation.dirty { strong { " and changes that it has not" } } ", pushed as:" }
            ul.tags { @for tag in &confirmation.tags { li { code { (tag) } } } }
            @if is_ready {
                form #yes data-confirmation=(serde_json::to_string(confirmation).unwrap_or_default()) {
                    button.main { "Push " (confirmation.tags.len()) @if confirmation.tags.len() == 1 { " name" } @else { " names" } " now" }
                    span.quiet { " A tag that is there already moves, unless it is immutable." }
                }
            }
        }
    }
}

fn pushed(pushed: &[Published]) -> Markup {
    html! {
        @for Published { image, link, page } in pushed {
            div.result {
                p { @for name in image.names() { code { (name) } " " } }
                p {
                    a href=(link) { code { (image.digest) } }
                    @if let Some(page) = page { " · " a href=(page) rel="noreferrer" { "in the registry" } }
                }
                p.quiet {
                    (bytes(image.uploaded as f64)) " uploaded, " (bytes(image.mounted as f64)) " mounted, " (bytes(image.present as f64))
                    " already there"
                    @if let Some(fallback) = &image.fallback { "; as " (fallback) ", since the registry did not take it otherwise" }
                }
            }
        }
    }
}
