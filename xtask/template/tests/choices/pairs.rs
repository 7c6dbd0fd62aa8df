//! Few sets of answers in which every two answers to different questions are together at least once.
//!
//! Of a question with several answers, each of them is chosen or not: a question of its own.

use std::collections::BTreeSet;

use crate::questions::{Answers, Kind, Question, Questions};
use crate::{Outcome, Test};

/// Something to decide, and in how many ways.
struct Factor<'a> {
    question: &'a Question,
    /// Of several answers, the one that is chosen, or not.
    choice: Option<&'a String>,
    levels: usize,
}

/// That a choice is made, which is tried first, and that it is not.
const CHOSEN: usize = 0;
const NOT: usize = 1;

/// Two factors and how they are decided.
type Pair = [(usize, usize); 2];

/// The sets.
pub(crate) fn covering(questions: &Questions) -> Vec<Answers> {
    let factors = factors(questions);
    let mut left: BTreeSet<Pair> = pairs(&factors).collect();
    let mut rows = Vec::new();
    while !left.is_empty() {
        // The first of those with the most pairs that are left.
        let made = |row: &Vec<usize>| left.iter().filter(|pair| has(row, pair)).count();
        let Some(row) = left.iter().rev().map(|first| row(&factors, *first, &left)).max_by_key(made) else {
            break;
        };
        left.retain(|pair| !has(&row, pair));
        rows.push(answers(&factors, &row));
    }
    rows
}

fn has(row: &[usize], pair: &Pair) -> bool {
    pair.iter().all(|(factor, level)| row[*factor] == *level)
}

fn factors(questions: &Questions) -> Vec<Factor<'_>> {
    let mut factors = Vec::new();
    for question in &questions.0 {
        if question.kind == Kind::Some {
            let choices = question.values.iter().map(Some);
            factors.extend(choices.map(|choice| Factor { question, choice, levels: 2 }));
        } else {
            factors.push(Factor { question, choice: None, levels: question.values.len() });
        }
    }
    factors
}

/// All that there can be.
fn pairs<'a>(factors: &'a [Factor<'_>]) -> impl Iterator<Item = Pair> + 'a {
    let two = (0..factors.len()).flat_map(|one| (one + 1..factors.len()).map(move |other| (one, other)));
    let all = two.flat_map(move |(one, other)| {
        let levels =
            (0..factors[one].levels).flat_map(move |a| (0..factors[other].levels).map(move |b| (a, b)));
        levels.map(move |(a, b)| [(one, a), (other, b)])
    });
    all.filter(move |pair| {
        let mut row = vec![None; factors.len()];
        pair.iter().for_each(|(factor, level)| row[*factor] = Some(*level));
        is_possible(factors, &row)
    })
}

/// Whether of each question at least one choice is made, or can still be.
fn is_possible(factors: &[Factor<'_>], row: &[Option<usize>]) -> bool {
    factors.iter().filter(|factor| factor.choice.is_some()).all(|asked| {
        let own = factors.iter().zip(row).filter(|(factor, _)| factor.question.name == asked.question.name);
        own.into_iter().any(|(_, level)| *level != Some(NOT))
    })
}

/// A row with one pair that is left, and in which every further decision is the one with the most others.
fn row(factors: &[Factor<'_>], first: Pair, left: &BTreeSet<Pair>) -> Vec<usize> {
    let mut row = vec![None; factors.len()];
    first.iter().for_each(|(factor, level)| row[*factor] = Some(*level));
    for (factor, decided) in factors.iter().enumerate() {
        if row[factor].is_some() {
            continue;
        }
        let gain = |level: &usize| {
            let made = |pair: &&Pair| {
                let is_made = |(of, at): &(usize, usize)| {
                    if *of == factor { at == level } else { row[*of] == Some(*at) }
                };
                pair.iter().any(|(of, _)| *of == factor) && pair.iter().all(is_made)
            };
            left.iter().filter(made).count()
        };
        let possible = (0..decided.levels).filter(|level| {
            let mut with = row.clone();
            with[factor] = Some(*level);
            is_possible(factors, &with)
        });
        // The first of those that are as good.
        row[factor] = possible.rev().max_by_key(gain);
    }
    row.into_iter().map(Option::unwrap).collect()
}

fn answers(factors: &[Factor<'_>], row: &[usize]) -> Answers {
    let mut answers = Answers::new();
    for (factor, level) in factors.iter().zip(row) {
        let chosen = match factor.choice {
            Some(choice) => (*level == CHOSEN).then(|| choice.clone()),
            // What is not said is the default.
            None if factor.question.kind == Kind::Text && *level == 0 => continue,
            None => Some(factor.question.values[*level].clone()),
        };
        answers.entry(factor.question.name.clone()).or_default().extend(chosen);
    }
    answers
}

pub(crate) fn tests(questions: &Questions) -> Vec<Test> {
    let questions = questions.clone();
    vec![Test::new("every_two_answers_are_together_somewhere", move || all_are_together(&questions))]
}

/// Counted once more, in another way: by the answers and not by factors.
fn all_are_together(questions: &Questions) -> Outcome {
    let rows = covering(questions);
    let has = |row: &Answers, question: &Question, value: &String, is: bool| {
        row.get(&question.name).unwrap_or(&question.default).contains(value) == is
    };
    for (at, one) in questions.0.iter().enumerate() {
        for other in &questions.0[at + 1..] {
            for (a, b) in one.values.iter().flat_map(|a| other.values.iter().map(move |b| (a, b))) {
                let ways = |question: &Question| {
                    if question.kind == Kind::Some { vec![true, false] } else { vec![true] }
                };
                for (is_a, is_b) in
                    ways(one).iter().flat_map(|x| ways(other).into_iter().map(move |y| (*x, y)))
                {
                    let together = rows.iter().any(|row| has(row, one, a, is_a) && has(row, other, b, is_b));
                    assert!(together, "{} {a} {is_a} and {} {b} {is_b}", one.name, other.name);
                }
            }
        }
    }
    assert!(rows.iter().all(|row| row.values().all(|values| !values.is_empty())), "{rows:?}");
    assert_eq!(rows, covering(questions), "the same every time");
    let most: usize = questions.0.iter().map(|question| question.answers().len()).product();
    assert!(rows.len() * 10 < most, "{} of {most}", rows.len());
    Ok(())
}
