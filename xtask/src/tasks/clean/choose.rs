//! Which items go: a pure function of what there is and of what may stay.

use std::time::SystemTime;

use crate::cli::Limits;
use crate::disk::Item;

/// The items that have to go so that `limits` are kept at the time `now`, by their places in `items`: what was not used for
/// longest first. All that was last used before the age goes, and then as much more as it takes. What has to stay does.
pub(super) fn choose(items: &[Item], limits: &Limits, now: SystemTime) -> Vec<usize> {
    let mut order = (0..items.len()).filter(|index| !items[*index].stays).collect::<Vec<_>>();
    order.sort_by_key(|index| (items[*index].last_used, &items[*index].paths));
    let mut left = total(items);
    order.retain(|index| {
        let item = &items[*index];
        // What is from the future, by a clock that was put back, is not old.
        let age = now.duration_since(item.last_used).unwrap_or_default();
        let is_old = limits.older_than.is_some_and(|limit| age > limit);
        let goes = is_old || limits.keep.is_some_and(|limit| left > limit.0);
        left -= if goes { item.size } else { 0 };
        goes
    });
    order
}

/// Bytes in all.
pub(super) fn total<'a>(items: impl IntoIterator<Item = &'a Item>) -> u64 {
    items.into_iter().map(|item| item.size).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::disk::Content;
    use crate::size::Size;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Items of these sizes in GB and ages in days; a negative age is in the future, and what is marked has to stay.
    fn items(given: &[(u64, i32, bool)], now: SystemTime) -> Vec<Item> {
        let item = |(index, (size, age, stays)): (usize, &(u64, i32, bool))| Item {
            place: "debug".to_owned(),
            content: Content::Dependencies,
            paths: vec![format!("{index}").into()],
            size: size * 1_000_000_000,
            last_used: if *age < 0 { now + DAY * age.unsigned_abs() } else { now - DAY * age.unsigned_abs() },
            stays: *stays,
        };
        given.iter().enumerate().map(item).collect()
    }

    #[test]
    fn what_is_old_goes_and_then_what_was_not_used_for_longest() {
        let now = SystemTime::UNIX_EPOCH + 1000 * DAY;
        let given =
            [(1, 3, false), (2, 30, false), (3, 8, true), (4, 0, false), (5, 7, false), (6, -2, false)];
        let items = items(&given, now);
        for (days, gigabytes, expected) in [
            (None, None, &[][..]),
            (Some(7), None, &[1]),
            (Some(6), None, &[1, 4]),
            (Some(0), None, &[1, 4, 0]),
            (Some(100), None, &[]),
            // In all there are 21 GB.
            (None, Some(21), &[]),
            (None, Some(20), &[1]),
            (None, Some(19), &[1]),
            (None, Some(18), &[1, 4]),
            (None, Some(13), &[1, 4, 0]),
            (None, Some(9), &[1, 4, 0, 3]),
            // What stays is more than what may be kept.
            (None, Some(0), &[1, 4, 0, 3, 5]),
            (Some(6), Some(19), &[1, 4]),
            (Some(7), Some(13), &[1, 4, 0]),
            (Some(100), Some(19), &[1]),
        ] {
            let keep = gigabytes.map(|count| Size(count * 1_000_000_000));
            let limits = Limits { older_than: days.map(|days| DAY * days), keep };
            assert_eq!(choose(&items, &limits, now), expected, "{days:?} {gigabytes:?}");
        }
    }

    #[test]
    fn of_equal_age_the_first_by_name_goes_first() {
        let now = SystemTime::UNIX_EPOCH + 1000 * DAY;
        let mut items = items(&[(1, 1, false), (1, 1, false), (1, 1, false)], now);
        items.reverse();
        let limits = Limits { older_than: None, keep: Some(Size(1_000_000_000)) };
        assert_eq!(choose(&items, &limits, now), [2, 1]);
    }
}
