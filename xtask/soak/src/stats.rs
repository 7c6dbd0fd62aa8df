//! The few statistics that are needed.

use std::time::Duration;

/// The middle one; of an even number, the upper of the two in the middle. 0 of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter().collect::<Vec<_>>();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The time that 99 of 100 were at most; 0 of none.
pub(crate) fn p99(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times = times.into_iter().collect::<Vec<_>>();
    times.sort();
    // The nearest rank: the smallest that no less than 99 of 100 are at most.
    let rank = (times.len() * 99).div_ceil(100);
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_that_is_far_off() {
        assert_eq!(median([3.0, 1000.0, 1.0]), 3.0);
        assert_eq!(median([1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn p99_leaves_out_one_of_a_hundred() {
        let times = (1..=200).map(Duration::from_millis);
        assert_eq!(p99(times), Duration::from_millis(198));
        assert_eq!(p99([Duration::from_millis(7)]), Duration::from_millis(7));
        assert_eq!(p99([]), Duration::ZERO);
    }
}
