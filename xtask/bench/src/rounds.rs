//! Measuring in turn: each side once, then all again, so that a machine that gets slower does so for all.

use anyhow::Result;

use crate::command::stopped;
use crate::measure::{Quantity, Sample};
use crate::report::{LeftOut, Row};
use crate::say;

/// One of those that are compared.
pub(crate) struct Side<'a> {
    /// What it is called.
    pub(crate) name: String,
    /// What comes before each measurement and is none itself.
    pub(crate) prepare: Box<dyn FnMut() -> Result<()> + 'a>,
    /// A measurement.
    pub(crate) run: Box<dyn FnMut() -> Result<Sample> + 'a>,
}

/// What came of all sides.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Those that were measured to the end.
    pub(crate) rows: Vec<Row>,
    /// Those that failed, and why.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Measures all sides `warm_up` times for nothing, and then `rounds` times. One that fails is left out from then on; one
/// that has been measured before gets a second chance, which the report tells: hours of figures are not for a daemon's mood.
///
/// # Errors
/// When a signal asks us to stop.
pub(crate) fn in_turn(sides: Vec<Side<'_>>, warm_up: u32, rounds: u32) -> Result<Rounds> {
    let mut result = Rounds::default();
    let mut going = sides.into_iter().map(|side| (side, Vec::new())).collect::<Vec<_>>();
    for round in 0..warm_up + rounds {
        let mut failed = Vec::new();
        for (index, (side, samples)) in going.iter_mut().enumerate() {
            let mut attempt = || (side.prepare)().and_then(|()| (side.run)());
            let mut measured = attempt();
            stopped()?;
            if let Err(error) = &measured
                && !samples.is_empty()
            {
                say(&format!("        {} does it again: {error:#}", side.name));
                let name = format!("a run of {}, which was repeated", side.name);
                result.left_out.push(LeftOut::by(&name, error));
                measured = attempt();
                stopped()?;
            }
            match measured {
                Ok(sample) => {
                    let what = if round < warm_up {
                        "warm-up".to_owned()
                    } else {
                        format!("round {}", round - warm_up + 1)
                    };
                    say(&format!("        {what}, {}: {}", side.name, shown(&sample)));
                    if round >= warm_up {
                        samples.push(sample);
                    }
                }
                Err(error) => {
                    say(&format!("        {} is left out: {error:#}", side.name));
                    result.left_out.push(LeftOut::by(&side.name, &error));
                    failed.push(index);
                }
            }
        }
        for index in failed.into_iter().rev() {
            going.remove(index);
        }
    }
    result.rows = going.into_iter().map(|(side, samples)| Row { name: side.name, samples }).collect();
    Ok(result)
}

/// The first quantity tells most; the others are in the report.
fn shown(sample: &Sample) -> String {
    let first = sample.iter().next();
    first
        .map(|(quantity, value): (&Quantity, &f64)| format!("{} {}", quantity.show(*value), quantity.title()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use anyhow::bail;

    use super::*;

    #[test]
    fn sides_take_turns_and_who_fails_twice_leaves() {
        let turns = RefCell::new(String::new());
        let side = |name: &'static str, fails: fn(usize) -> bool| Side {
            name: name.to_owned(),
            prepare: Box::new(|| Ok(())),
            run: Box::new({
                let turns = &turns;
                move || {
                    turns.borrow_mut().push_str(name);
                    if fails(turns.borrow().matches(name).count()) {
                        bail!("broken\nfor some reason");
                    }
                    Ok(Sample::from([(Quantity::Seconds, 1.0)]))
                }
            }),
        };
        let sides = vec![
            side("a", |_| false),
            side("b", |turn| turn > 2),
            side("c", |turn| turn == 3),
            side("d", |turn| turn == 1),
        ];
        let rounds = in_turn(sides, 1, 2).unwrap();
        assert_eq!(*turns.borrow(), "abcdabcabbcc");
        let rows = rounds.rows.iter().map(|row| (row.name.as_str(), row.samples.len())).collect::<Vec<_>>();
        assert_eq!(rows, [("a", 2), ("c", 2)]);
        let left_out = rounds.left_out.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
        assert_eq!(left_out, ["d", "a run of b, which was repeated", "b", "a run of c, which was repeated"]);
        assert!(rounds.left_out.iter().all(|one| one.why == "for some reason"));
    }
}
