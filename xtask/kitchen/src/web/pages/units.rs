//! Times and sizes as people read them.

use image_spec::size;

/// A size in bytes.
pub(super) fn bytes(count: f64) -> String {
    size::bytes(count.round() as u64)
}

/// A time in seconds.
pub(super) fn seconds(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    match seconds {
        s if s >= 3599.5 => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
        s if s >= 99.95 => format!("{} min {:02} s", whole / 60, whole % 60),
        s if s >= 9.995 => format!("{s:.1} s"),
        s if s >= 0.0995 || s <= 0.0 => format!("{s:.2} s"),
        s => format!("{:.0} ms", s * 1000.0),
    }
}

/// A difference, with its sign.
pub(super) fn signed(difference: f64, unit: fn(f64) -> String) -> String {
    match difference {
        d if d > 0.0 => format!("+{}", unit(d)),
        d if d < 0.0 => format!("−{}", unit(-d)),
        _ => "=".to_owned(),
    }
}

/// A time in seconds on an axis, as a clock would show it, and with no more digits than it has.
pub(super) fn clock(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    match whole {
        3600.. => format!("{}:{:02} h", whole / 3600, whole / 60 % 60),
        60.. => format!("{}:{:02} min", whole / 60, whole % 60),
        _ => format!("{} s", (seconds * 1000.0).round() / 1000.0),
    }
}

/// Where an axis has its lines: at multiples of 1, 2 or 5 with noughts, and of parts of a minute and an hour where `is_time`.
/// No more than `most`, and one.
pub(super) fn ticks(from: f64, to: f64, most: usize, is_time: bool) -> Vec<f64> {
    let clock = [10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0];
    let plain = (-3..13).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    let steps: Vec<f64> = match is_time {
        true => plain.take_while(|step| *step < 10.0).chain(clock).collect(),
        false => plain.collect(),
    };
    let length = to - from;
    let step = steps.into_iter().find(|step| length / step <= most as f64).unwrap_or(length.max(1.0));
    let first = (from / step).ceil();
    (0..=most).map(|number| (first + number as f64) * step).take_while(|at| *at <= to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_readable() {
        let times = [0.0, 0.0123, 0.0999, 1.5, 12.34, 99.96, 3599.6, 7260.0].map(seconds);
        assert_eq!(
            times,
            ["0.00 s", "12 ms", "0.10 s", "1.50 s", "12.3 s", "1 min 40 s", "1 h 00 min", "2 h 01 min"]
        );
        assert_eq!([1500.0, -2.0, 0.0].map(|d| signed(d, bytes)), ["+1.50 kB", "−2 B", "="]);
    }

    #[test]
    fn lines_are_where_people_expect_them() {
        assert_eq!(ticks(0.0, 7.3, 5, true), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(0.0, 100.0, 5, true), [0.0, 30.0, 60.0, 90.0]);
        assert_eq!(ticks(4.1e6, 4.7e6, 5, false), [4.2e6, 4.4e6, 4.6e6]);
        assert_eq!(ticks(0.0, 0.0, 5, false), [0.0]);
        assert!(ticks(0.0, 1e12, 5, true).len() <= 6);
        assert_eq!([0.0, 0.5, 90.0, 5400.0].map(super::clock), ["0 s", "0.5 s", "1:30 min", "1:30 h"]);
    }
}
