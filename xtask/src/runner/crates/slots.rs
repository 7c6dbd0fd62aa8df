//! When a unit may have begun that cargo says nothing of: as many are compiled at once as there are jobs, so it began when
//! another had ended.

/// The jobs of one cargo, as far as its units tell of them.
pub(super) struct Slots {
    jobs: usize,
    /// Since when each that is free has been so, in seconds.
    free: Vec<f64>,
}

impl Slots {
    /// All of `jobs` are free from the start.
    pub(super) fn new(jobs: usize) -> Slots {
        Slots { jobs, free: vec![0.0; jobs] }
    }

    /// A unit begins, at a time that is known. The slots that were free for longer stay for those of which it is not.
    pub(super) fn take(&mut self) {
        let latest = self.free.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((index, _)) = latest {
            self.free.swap_remove(index);
        }
    }

    /// Since when a unit may have been at work that has ended now, in seconds: what was ready at `ready` began as soon as
    /// there was a slot.
    pub(super) fn take_since(&mut self, ready: f64) -> f64 {
        let earliest = self.free.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        earliest.map_or(ready, |(index, free)| {
            self.free.swap_remove(index);
            free.max(ready)
        })
    }

    /// A unit has ended at `time`.
    pub(super) fn give_back(&mut self, time: f64) {
        if self.free.len() < self.jobs {
            self.free.push(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_begins_when_a_slot_is_free() {
        let mut slots = Slots::new(2);
        slots.take();
        slots.give_back(10.0);
        // Four that could all begin at 10.
        let mut started = Vec::new();
        for ended in [12.0, 13.0, 14.0, 19.0] {
            started.push(slots.take_since(10.0));
            slots.give_back(ended);
        }
        assert_eq!(started, [10.0, 10.0, 12.0, 13.0]);
    }

    #[test]
    fn more_units_than_jobs_are_no_mistake() {
        let mut slots = Slots::new(1);
        slots.take();
        slots.take();
        assert_eq!(slots.take_since(3.0), 3.0);
        (0..3).for_each(|_| slots.give_back(4.0));
        assert_eq!((slots.take_since(0.0), slots.take_since(0.0)), (4.0, 0.0));
    }
}
