//! What the report shows of items.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::choose::{choose, total};
use crate::cli::Limits;
use crate::disk::{Content, Item};
use crate::report::{SpaceRow, Used};
use crate::size::Size;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A row for what is alike in one folder, the largest first. `now` is what ages are counted from.
pub(super) fn rows<'a>(items: impl IntoIterator<Item = &'a Item>, now: SystemTime) -> Vec<SpaceRow> {
    let mut rows = BTreeMap::<_, SpaceRow>::new();
    for item in items {
        let row = rows.entry((&item.place, item.content)).or_insert_with(|| SpaceRow {
            place: item.place.clone(),
            content: name(item.content),
            items: 0,
            size: 0,
            used: Used::default(),
        });
        row.items += 1;
        row.size += item.size;
        row.used = row.used.and(used(item, now));
    }
    let mut rows = rows.into_values().collect::<Vec<_>>();
    rows.sort_by_key(|row| std::cmp::Reverse(row.size));
    rows
}

/// A command that removes something, if one does: what is old, or else half of it.
pub(super) fn next(items: &[Item], now: SystemTime) -> Option<String> {
    let ages = [("7d", 7 * DAY), ("1d", DAY)]
        .map(|(text, age)| (format!("--older-than {text}"), Limits { older_than: Some(age), keep: None }));
    let half = total(items) / 2;
    let half = match (half / 1_000_000_000, half / 1_000_000) {
        (0, megabytes) => (format!("{megabytes}MB"), megabytes * 1_000_000),
        (gigabytes, _) => (format!("{gigabytes}GB"), gigabytes * 1_000_000_000),
    };
    let half = (format!("--keep {}", half.0), Limits { older_than: None, keep: Some(Size(half.1)) });
    let works = |(_, limits): &(String, Limits)| !choose(items, limits, now).is_empty();
    ages.into_iter().chain([half]).find(works).map(|(flags, _)| format!("cargo xtask clean {flags}"))
}

fn name(content: Content) -> &'static str {
    match content {
        Content::Dependencies => "dependencies",
        Content::Incremental => "incremental",
        Content::BuildScripts => "build scripts",
        Content::Programs => "programs and tests",
        Content::Files => "files",
    }
}

fn used(item: &Item, now: SystemTime) -> Used {
    let age = now.duration_since(item.last_used).unwrap_or_default();
    let size = item.size;
    match age {
        _ if age <= DAY => Used { day: size, ..Used::default() },
        _ if age <= 7 * DAY => Used { week: size, ..Used::default() },
        _ if age <= 30 * DAY => Used { month: size, ..Used::default() },
        _ => Used { older: size, ..Used::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(place: &str, content: Content, size: u64, days: u32, now: SystemTime) -> Item {
        let paths = vec![format!("{place}/{days}").into()];
        Item { place: place.to_owned(), content, paths, size, last_used: now - DAY * days, stays: false }
    }

    #[test]
    fn what_is_alike_is_one_row_and_the_largest_comes_first() {
        let now = SystemTime::UNIX_EPOCH + 1000 * DAY;
        let items = [
            item("debug", Content::Dependencies, 10, 0, now),
            item("debug", Content::Incremental, 500, 7, now),
            item("debug", Content::Dependencies, 20, 8, now),
            item("debug", Content::Dependencies, 30, 31, now),
            item("dist", Content::Files, 60, 30, now),
        ];
        let rows = rows(&items, now);
        let row = |row: &SpaceRow| (format!("{} {} {}", row.place, row.content, row.items), row.used);
        assert_eq!(
            rows.iter().map(row).collect::<Vec<_>>(),
            [
                ("debug incremental 1".to_owned(), Used { week: 500, ..Used::default() }),
                (
                    "debug dependencies 3".to_owned(),
                    Used { day: 10, month: 20, older: 30, ..Used::default() }
                ),
                ("dist files 1".to_owned(), Used { month: 60, ..Used::default() }),
            ]
        );
    }

    #[test]
    fn the_command_that_is_offered_removes_something() {
        let now = SystemTime::UNIX_EPOCH + 1000 * DAY;
        for (size, days, stays, expected) in [
            (1, 8, false, Some("cargo xtask clean --older-than 7d")),
            (1, 2, false, Some("cargo xtask clean --older-than 1d")),
            (5_000_000_000, 0, false, Some("cargo xtask clean --keep 2GB")),
            (5_000_000, 0, false, Some("cargo xtask clean --keep 2MB")),
            (5_000_000_000, 8, true, None),
        ] {
            let item = Item { stays, ..item("debug", Content::Programs, size, days, now) };
            assert_eq!(next(&[item], now).as_deref(), expected);
        }
        assert_eq!(next(&[], now), None);
    }
}
