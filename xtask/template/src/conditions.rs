//! What tells projects apart: from where something is and is not follows the condition to mark it with.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::answers::Answers;
use crate::expression::Expression;
use crate::template::{Kind, Template};

/// Finds conditions that say in which projects something is there.
pub(crate) struct Conditions<'a> {
    projects: &'a [Answers],
    candidates: Vec<Expression>,
}

impl<'a> Conditions<'a> {
    /// Tells these projects apart by conditions on `options`, the simplest first.
    pub(crate) fn new(projects: &'a [Answers], template: &Template, options: &BTreeSet<String>) -> Self {
        let mut atoms = Vec::new();
        for question in template.questions.iter().filter(|question| options.contains(&question.name)) {
            match &question.kind {
                Kind::YesOrNo => atoms.push(Expression::Yes(question.name.clone())),
                Kind::Choices(choices) => {
                    atoms.extend(choices.iter().map(|word| Expression::Contains {
                        option: question.name.clone(),
                        word: word.clone(),
                    }))
                }
                Kind::Text | Kind::Choice(_) => {}
            }
        }
        let refused: Vec<_> = atoms.iter().map(|atom| Expression::Not(Box::new(atom.clone()))).collect();
        atoms.extend(refused);
        let mut candidates = atoms.clone();
        let pairs: Vec<Vec<Expression>> = atoms
            .iter()
            .enumerate()
            .flat_map(|(index, a)| atoms[index + 1..].iter().map(move |b| vec![a.clone(), b.clone()]))
            .collect();
        candidates.extend(pairs.iter().cloned().map(Expression::Any));
        candidates.extend(pairs.iter().cloned().map(Expression::All));
        for atom in &atoms {
            for pair in &pairs {
                candidates.push(Expression::Any([pair.clone(), vec![atom.clone()]].concat()));
                candidates.push(Expression::All([pair.clone(), vec![atom.clone()]].concat()));
                candidates.push(Expression::All(vec![Expression::Any(pair.clone()), atom.clone()]));
                candidates.push(Expression::Any(vec![Expression::All(pair.clone()), atom.clone()]));
            }
        }
        Self { projects, candidates }
    }

    /// The condition for what is there, or not, in each of the projects; none where it always is. For some projects it
    /// may not matter.
    ///
    /// # Errors
    /// When there is none that is simple.
    pub(crate) fn of(&self, there: &[Option<bool>]) -> Result<Option<Expression>> {
        if there.iter().all(|there| *there != Some(false)) {
            return Ok(None);
        }
        'candidates: for candidate in &self.candidates {
            for (answers, there) in self.projects.iter().zip(there) {
                if there.is_some_and(|there| candidate.holds(answers).ok() != Some(there)) {
                    continue 'candidates;
                }
            }
            return Ok(Some(candidate.clone()));
        }
        bail!("Cargo.lock: no simple condition tells which projects have what others have not")
    }
}
