//! Whose work is next: plugins take turns, and slow ones never have every thread.
//!
//! A guest cannot be set aside once it runs, so a thread that has it is gone for as long as its limits allow. Turns alone
//! would not help then: two plugins that use up a second of CPU time on every call would have both of two threads, and
//! everybody else a millisecond of work each second. So one thread is kept from plugins that are slow, and a plugin
//! counts as slow until it has shown otherwise. What a plugin's work costs its neighbours is thereby the length of a
//! quick turn at most.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Work that takes longer, in CPU time, is slow. A batch takes a formatter in Rust some milliseconds and one in Python
/// some tens.
const SLOW_TURN: Duration = Duration::from_millis(100);
/// So many quick turns in a row make a slow plugin a quick one. Then a plugin that mixes them to get at every thread has
/// them for one turn of so many.
const QUICK_TURNS: u32 = 32;

/// Whose work is none of a plugin's. It takes turns like the others and is never slow: how long it takes depends on the
/// size of a batch only. No plugin has an empty name.
pub(crate) const THE_HOST: &str = "";

/// The work that waits, by plugin. There is an entry for each name that ever had work: as many as there are plugins.
pub(crate) struct Turns<Job> {
    lanes: BTreeMap<Arc<str>, Lane<Job>>,
    /// The plugins with work that waits, in the order of their turns.
    order: VecDeque<Arc<str>>,
    /// How many turns of slow plugins may be under way at the same time.
    slow_at_most: usize,
    slow_running: usize,
}

struct Lane<Job> {
    waiting: VecDeque<Job>,
    /// Slow as long as there are some left.
    quick_turns_to_show: u32,
}

/// One piece of work, to be done now.
pub(crate) struct Turn<Job> {
    pub(crate) job: Job,
    plugin: Arc<str>,
    slow: bool,
}

/// What is left of a turn when its job is done.
pub(crate) struct Ended {
    plugin: Arc<str>,
    slow: bool,
}

impl<Job> Turn<Job> {
    pub(crate) fn split(self) -> (Job, Ended) {
        (self.job, Ended { plugin: self.plugin, slow: self.slow })
    }
}

impl<Job> Turns<Job> {
    /// For so many threads, of which one is kept from slow plugins.
    pub(crate) fn new(threads: usize) -> Turns<Job> {
        Turns {
            lanes: BTreeMap::new(),
            order: VecDeque::new(),
            slow_at_most: threads.saturating_sub(1).max(1),
            slow_running: 0,
        }
    }

    pub(crate) fn push(&mut self, plugin: &str, job: Job) {
        let name = match self.lanes.get_key_value(plugin) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(plugin),
        };
        let lane = self.lanes.entry(Arc::clone(&name)).or_insert_with(|| Lane::of(plugin));
        if lane.waiting.is_empty() {
            self.order.push_back(name);
        }
        lane.waiting.push_back(job);
    }

    /// The next piece of work that may be done beside what is under way. The caller says when it has [`ended`](Self::end).
    pub(crate) fn next(&mut self) -> Option<Turn<Job>> {
        let slow_may_run = self.slow_running < self.slow_at_most;
        let may_run = |lane: &Lane<Job>| slow_may_run || !lane.is_slow();
        let place = self.order.iter().position(|name| self.lanes.get(name).is_some_and(may_run))?;
        let plugin = self.order.remove(place)?;
        let lane = self.lanes.get_mut(&plugin)?;
        let job = lane.waiting.pop_front()?;
        let slow = lane.is_slow();
        if !lane.waiting.is_empty() {
            self.order.push_back(Arc::clone(&plugin));
        }
        self.slow_running += usize::from(slow);
        Some(Turn { job, plugin, slow })
    }

    /// A turn is over and has taken so much CPU time.
    pub(crate) fn end(&mut self, ended: &Ended, took: Duration) {
        self.slow_running -= usize::from(ended.slow);
        if let Some(lane) = self.lanes.get_mut(&ended.plugin).filter(|_| &*ended.plugin != THE_HOST) {
            lane.quick_turns_to_show =
                if took > SLOW_TURN { QUICK_TURNS } else { lane.quick_turns_to_show.saturating_sub(1) };
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl<Job> Lane<Job> {
    /// One quick turn is enough for a plugin of which nothing is known.
    fn of(plugin: &str) -> Lane<Job> {
        Lane { waiting: VecDeque::new(), quick_turns_to_show: u32::from(plugin != THE_HOST) }
    }

    fn is_slow(&self) -> bool {
        self.quick_turns_to_show > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(1);
    const SLOW: Duration = Duration::from_secs(1);

    /// Takes the next turn, which takes so long once it is ended.
    fn next<'a>(turns: &mut Turns<&'a str>) -> Option<(&'a str, Ended)> {
        turns.next().map(Turn::split)
    }

    /// Does the next piece of work and says what it was.
    fn work<'a>(turns: &mut Turns<&'a str>, took: Duration) -> &'a str {
        let (job, ended) = next(turns).unwrap();
        turns.end(&ended, took);
        job
    }

    #[test]
    fn plugins_take_turns_and_the_work_of_one_stays_in_order() {
        let mut turns = Turns::new(2);
        for job in ["a1", "a2", "a3"] {
            turns.push("a", job);
        }
        turns.push("b", "b1");
        turns.push("c", "c1");
        let order: Vec<_> = (0..5).map(|_| work(&mut turns, QUICK)).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "a3"]);
        assert!(turns.is_empty() && turns.next().is_none());
    }

    #[test]
    fn slow_plugins_leave_a_thread_to_the_others() {
        let mut turns = Turns::new(2);
        turns.push("honest", "known to be quick");
        work(&mut turns, QUICK);
        for plugin in ["burner", "another"] {
            turns.push(plugin, plugin);
        }
        turns.push("honest", "honest");
        let (first, burning) = next(&mut turns).unwrap();
        assert_eq!(first, "burner");
        let (second, honest) = next(&mut turns).unwrap();
        assert_eq!(second, "honest", "the other slow one waits, though it came first");
        turns.end(&honest, QUICK);
        assert!(turns.next().is_none(), "an idle thread is kept for whoever is quick");
        turns.end(&burning, SLOW);
        assert_eq!(work(&mut turns, SLOW), "another");
    }

    #[test]
    fn a_plugin_of_which_nothing_is_known_counts_as_slow() {
        let mut turns = Turns::new(2);
        for plugin in ["one", "two"] {
            turns.push(plugin, plugin);
        }
        let (_, one) = next(&mut turns).unwrap();
        assert!(turns.next().is_none());
        turns.end(&one, QUICK);
        assert_eq!(work(&mut turns, QUICK), "two");
        for plugin in ["one", "two"] {
            turns.push(plugin, plugin);
        }
        let under_way = [next(&mut turns).unwrap().0, next(&mut turns).unwrap().0];
        assert_eq!(under_way, ["one", "two"], "both have shown that they are quick");
    }

    #[test]
    fn a_plugin_that_was_slow_has_to_be_quick_many_times_before_it_counts_as_quick() {
        let mut turns = Turns::new(2);
        let is_slow = |turns: &Turns<&str>| turns.lanes["fickle"].is_slow();
        for turn in 0..=QUICK_TURNS {
            turns.push("fickle", "work");
            work(&mut turns, if turn == 0 { SLOW } else { QUICK });
            assert_eq!(is_slow(&turns), turn < QUICK_TURNS, "after turn {turn}");
        }
        turns.push("fickle", "work");
        work(&mut turns, SLOW);
        assert!(is_slow(&turns), "once is enough");
    }

    #[test]
    fn the_hosts_own_work_is_never_slow() {
        let mut turns = Turns::new(2);
        for job in ["large", "larger", "largest"] {
            turns.push(THE_HOST, job);
            work(&mut turns, SLOW);
        }
        turns.push("burner", "burner");
        let burning = next(&mut turns).unwrap();
        turns.push(THE_HOST, "mine");
        assert_eq!((burning.0, work(&mut turns, SLOW)), ("burner", "mine"));
    }

    #[test]
    fn with_more_threads_slow_plugins_have_all_but_one() {
        let mut turns = Turns::new(4);
        for plugin in ["a", "b", "c", "d"] {
            turns.push(plugin, plugin);
        }
        let under_way: Vec<_> = std::iter::from_fn(|| next(&mut turns)).map(|(job, _)| job).collect();
        assert_eq!(under_way, ["a", "b", "c"]);
    }
}
