//! Which stage comes next: pure.

/// The stages, one after the other, each only after the one before was green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    /// How many there are.
    stages: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until something changes.
    Idle,
    /// This stage runs.
    Running(usize),
    /// A stage that nobody needs any more is ending.
    Cancelling,
    /// The same, and no other will follow.
    Leaving,
    /// No other stage will run.
    Over,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A run is due.
    Due,
    /// The stage that ran is gone, with this exit code.
    Ended(u8),
    /// It is enough.
    Quit,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Start this stage.
    Start(usize),
    /// End the stage that runs.
    Cancel,
    /// All were green: start the service anew.
    Serve,
    /// This stage was red.
    GiveUp(usize),
    /// Nothing.
    Wait,
}

impl Cycle {
    /// Nothing runs yet.
    pub(super) fn new(stages: usize) -> Cycle {
        Cycle { stages, state: State::Idle }
    }

    /// Whether nothing runs, and nothing will.
    pub(super) fn is_over(self) -> bool {
        self.state == State::Over
    }

    /// Something happened.
    pub(super) fn next(&mut self, input: Input) -> Action {
        let (state, action) = match (self.state, input) {
            (State::Idle, Input::Due) | (State::Cancelling, Input::Ended(_)) => {
                (State::Running(0), Action::Start(0))
            }
            (State::Running(_), Input::Due) => (State::Cancelling, Action::Cancel),
            (State::Running(stage), Input::Ended(0)) if stage + 1 < self.stages => {
                (State::Running(stage + 1), Action::Start(stage + 1))
            }
            (State::Running(_), Input::Ended(0)) => (State::Idle, Action::Serve),
            (State::Running(stage), Input::Ended(_)) => (State::Idle, Action::GiveUp(stage)),
            (State::Running(_), Input::Quit) => (State::Leaving, Action::Cancel),
            (State::Cancelling, Input::Quit) => (State::Leaving, Action::Wait),
            (State::Idle, Input::Quit) | (State::Leaving, Input::Ended(_)) => (State::Over, Action::Wait),
            (state, _) => (state, Action::Wait),
        };
        self.state = state;
        action
    }
}

#[cfg(test)]
mod tests {
    use super::Action::{Cancel, GiveUp, Serve, Start, Wait};
    use super::Input::{Due, Ended, Quit};
    use super::*;

    #[test]
    fn stages_follow_each_other_as_long_as_they_are_green() {
        for (inputs, expected, over) in [
            (&[Due, Ended(0), Ended(0), Ended(0)][..], &[Start(0), Start(1), Start(2), Serve][..], false),
            // Red ends it, until the next change.
            (&[Due, Ended(0), Ended(101), Due], &[Start(0), Start(1), GiveUp(1), Start(0)], false),
            // A change cancels the stage that runs, however it ends, and further ones have nothing to cancel.
            (&[Due, Ended(0), Due, Due, Ended(0)], &[Start(0), Start(1), Cancel, Wait, Start(0)], false),
            (&[Due, Due, Ended(130), Ended(1)], &[Start(0), Cancel, Start(0), GiveUp(0)], false),
            // Nothing follows a wish to leave.
            (&[Quit, Due], &[Wait, Wait], true),
            (&[Due, Quit, Due], &[Start(0), Cancel, Wait], false),
            (&[Due, Quit, Ended(0), Due], &[Start(0), Cancel, Wait, Wait], true),
            (&[Due, Due, Quit, Quit, Ended(130)], &[Start(0), Cancel, Wait, Wait, Wait], true),
        ] {
            let mut cycle = Cycle::new(3);
            let actions = inputs.iter().map(|input| cycle.next(*input)).collect::<Vec<_>>();
            assert_eq!(actions, expected, "{inputs:?}");
            assert_eq!(cycle.is_over(), over, "{inputs:?}");
        }
    }
}
