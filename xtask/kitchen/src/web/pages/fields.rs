//! Fields of forms.

use maud::{Markup, html};

/// What can be done, and what is shown for it.
pub(super) const TASKS: [(&str, &str); 4] = [
    ("bd", "Image for this machine"),
    ("bdp", "Image for every platform, pushed"),
    ("build", "Only the binary"),
    ("check", "The whole gate"),
];

/// What a build can be compiled with, and what is shown for it.
pub(super) const PROFILES: &[(&str, &str)] = &[
    ("", "As configured"),
    ("release", "Release"),
    ("dist", "Dist"),
    ("pgo", "PGO"), // template: if pipeline_tests
];

/// A choice of some of these; of none, it is as configured.
pub(super) fn choose(title: &str, name: &str, offered: &[String]) -> Markup {
    html! {
        fieldset.field {
            legend { (title) }
            @for value in offered { label { input type="checkbox" name=(name) value=(value); " " (value) } }
        }
    }
}

/// A choice of one of these.
pub(super) fn select<T: AsRef<str>>(name: &str, offered: &[(T, T)], chosen: &str) -> Markup {
    html! {
        select name=(name) {
            @for (value, shown) in offered {
                option value=(value.as_ref()) selected[value.as_ref() == chosen] { (shown.as_ref()) }
            }
        }
    }
}

/// These values, each once and as itself, behind `all`, which chooses none.
pub(super) fn offered(all: &str, values: Vec<String>) -> Vec<(String, String)> {
    let mut offered = vec![(String::new(), all.to_owned())];
    for value in values {
        if !offered.iter().any(|(known, _)| *known == value) {
            offered.push((value.clone(), value));
        }
    }
    offered
}
