//! Which mart can be made next, for several threads that make them.
//!
//! Input: marts of one stage, each after those that it reads. Output: one mart at a time to whoever asks.

use super::plan::sources;
use crate::metric::QueryFile;
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Progress<'a> {
    waiting: Vec<&'a QueryFile>,
    done: BTreeSet<&'a str>,
    is_broken: bool,
}

/// The marts of a stage.
pub(super) struct Queue<'a> {
    all: &'a [&'a QueryFile],
    progress: Mutex<Progress<'a>>,
    changed: Condvar,
}

/// Held by a thread that makes marts: when it panics, the others do not wait for what it was making.
pub(super) struct Watch<'q, 'a>(&'q Queue<'a>);

impl Drop for Watch<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.progress().is_broken = true;
            self.0.changed.notify_all();
        }
    }
}

impl<'a> Queue<'a> {
    pub(super) fn watch(&self) -> Watch<'_, 'a> {
        Watch(self)
    }

    pub(super) fn new(marts: &'a [&'a QueryFile]) -> Self {
        let progress = Progress { waiting: marts.to_vec(), ..Progress::default() };
        Self { all: marts, progress: Mutex::new(progress), changed: Condvar::new() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress<'a>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first mart whose sources are all there; waits for one. None when no more are to be made, or one failed.
    pub(super) fn take(&self) -> Option<&'a QueryFile> {
        let mut progress = self.progress();
        loop {
            if progress.is_broken || progress.waiting.is_empty() {
                return None;
            }
            let is_there =
                |source: &str| progress.done.contains(source) || !self.all.iter().any(|mart| mart.name == source);
            if let Some(ready) = progress.waiting.iter().position(|mart| sources(mart).all(is_there)) {
                return Some(progress.waiting.remove(ready));
            }
            progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A mart is made, or failed. Gives the marts that nothing in this stage reads any more because of it.
    pub(super) fn finish(&self, mart: &'a QueryFile, is_made: bool) -> Vec<&'a QueryFile> {
        let mut progress = self.progress();
        progress.is_broken |= !is_made;
        progress.done.insert(&mart.name);
        let is_read = |name: &str| {
            self.all
                .iter()
                .any(|other| !progress.done.contains(other.name.as_str()) && sources(other).any(|own| own == name))
        };
        let read = self.all.iter().copied().filter(|other| {
            let is_concerned = other.name == mart.name || sources(mart).any(|source| source == other.name);
            is_concerned && progress.done.contains(other.name.as_str()) && !is_read(&other.name)
        });
        let read = read.collect();
        drop(progress);
        self.changed.notify_all();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{mart, names};
    use super::*;

    #[test]
    fn a_mart_waits_for_its_sources_and_goes_after_its_last_reader() {
        let all = [mart("a", "stg_parts", "all"), mart("b", "mart_a", "all"), mart("c", "mart_a, mart_far", "all")];
        let all: Vec<&QueryFile> = all.iter().collect();
        let queue = Queue::new(&all);
        let first = queue.take().expect("a mart");
        assert_eq!(first.name, "a");
        std::thread::scope(|scope| {
            let second = scope.spawn(|| queue.take().map(|mart| mart.name.clone()));
            assert!(queue.finish(first, true).is_empty(), "b and c still read it");
            assert_eq!(second.join().expect("a thread").as_deref(), Some("b"));
        });
        assert_eq!(names(&queue.finish(all[1], true)), ["b"]);
        assert_eq!(queue.take().map(|mart| mart.name.as_str()), Some("c"));
        assert_eq!(names(&queue.finish(all[2], true)), ["a", "c"]);
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_panic_ends_the_work_of_the_others() {
        let all = [mart("a", "stg_parts", "all"), mart("b", "mart_a", "all")];
        let all: Vec<&QueryFile> = all.iter().collect();
        let queue = Queue::new(&all);
        assert!(queue.take().is_some());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.take().is_none());
            let panics = scope.spawn(|| {
                let _watch = queue.watch();
                std::panic::resume_unwind(Box::new("broken"));
            });
            assert!(panics.join().is_err() && waiting.join().expect("a thread"));
        });
    }

    #[test]
    fn a_failure_ends_the_work() {
        let all = [mart("a", "stg_parts", "all"), mart("b", "mart_a", "all")];
        let all: Vec<&QueryFile> = all.iter().collect();
        let queue = Queue::new(&all);
        assert!(queue.take().is_some());
        queue.finish(all[0], false);
        assert!(queue.take().is_none());
    }
}
