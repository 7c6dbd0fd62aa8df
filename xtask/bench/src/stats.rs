//! The few statistics that are needed.

use serde::Serialize;

/// The middle of some values, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The middle one; of an even number, the mean of the two in the middle.
    pub(crate) median: f64,
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of these values; none without any.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values = values.into_iter().collect::<Vec<_>>();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Spread { median, min, max })
    }
}

/// How far the median of `values` would move if all were measured again: its standard error, from the median absolute
/// deviation, which one value that is far off does not move. None of fewer than three.
///
/// For a normal distribution the standard deviation is 1.4826 times that deviation, and the standard error of a median
/// 1.2533 times that of a mean.
pub(crate) fn error_of_median(values: &[f64]) -> Option<f64> {
    if values.len() < 3 {
        return None;
    }
    let median = Spread::of(values.iter().copied())?.median;
    let deviation = Spread::of(values.iter().map(|value| (value - median).abs()))?.median;
    Some(1.2533 * 1.4826 * deviation / (values.len() as f64).sqrt())
}

/// Where a straight line through `points` begins, and how it rises: by least squares. None through fewer than two.
pub(crate) fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let across = points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>();
    let along = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>();
    let slope = along / across;
    // Without two that differ there is none.
    slope.is_finite().then_some((y - slope * x, slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_that_is_far_off() {
        assert_eq!(Spread::of([3.0, 1000.0, 1.0]), Some(Spread { median: 3.0, min: 1.0, max: 1000.0 }));
        assert_eq!(Spread::of([1.0, 2.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn the_error_of_a_median_shrinks_with_the_number_of_values() {
        let values = [9.0, 10.0, 11.0, 10.0, 9.0, 11.0, 100.0];
        let error = error_of_median(&values).unwrap_or_default();
        assert!((error - 1.2533 * 1.4826 / 7_f64.sqrt()).abs() < 1e-9, "{error}");
        assert_eq!(error_of_median(&[5.0, 5.0, 5.0]), Some(0.0));
        assert_eq!(error_of_median(&[5.0, 6.0]), None);
    }

    #[test]
    fn a_line_is_where_it_is_closest_to_all_points() {
        let (base, slope) = line(&[(1.0, 3.0), (2.0, 5.0), (4.0, 9.0)]).unwrap_or_default();
        assert!((base - 1.0).abs() < 1e-9 && (slope - 2.0).abs() < 1e-9, "{base} {slope}");
        assert_eq!(line(&[(1.0, 3.0)]), None);
        assert_eq!(line(&[]), None);
    }
}
