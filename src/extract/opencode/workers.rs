//! Rayon workers behind the reading thread.
//!
//! Input: chunks. Output: what their jobs leave, in the order of the chunks. Permits bound the chunks in flight.

use super::jobs::{self, Done, Evidence, Shared};
use super::rows::Chunk;
use crate::error::StoreError;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

type JobResult = Result<Done, StoreError>;

/// Bounds the chunks in flight and gathers what the jobs leave.
pub(super) struct Workers {
    permits: (Sender<()>, Receiver<()>),
    results: (Sender<JobResult>, Receiver<JobResult>),
}

impl Workers {
    pub(super) fn new() -> Self {
        let limit = rayon::current_num_threads() + 1;
        let permits = bounded(limit);
        for _ in 0..limit {
            let _ = permits.0.send(());
        }
        Self { permits, results: unbounded() }
    }

    /// Hands a chunk to a worker; waits while too many are in flight.
    pub(super) fn submit<'scope>(
        &self,
        scope: &rayon::Scope<'scope>,
        chunk: Chunk,
        shared: &'scope Shared<'scope>,
        evidence: &'scope Evidence,
    ) {
        let _ = self.permits.1.recv();
        let (permit, result) = (self.permits.0.clone(), self.results.0.clone());
        scope.spawn(move |_| {
            let _ = result.send(jobs::run(chunk, shared, evidence));
            let _ = permit.send(());
        });
    }

    /// What the jobs left.
    ///
    /// # Errors
    /// One of them could not write.
    pub(super) fn collect(self) -> Result<Vec<Done>, StoreError> {
        let (sender, receiver) = self.results;
        drop(sender);
        let mut done = receiver.into_iter().collect::<Result<Vec<_>, _>>()?;
        done.sort_by_key(|done| done.sequence);
        Ok(done)
    }
}
