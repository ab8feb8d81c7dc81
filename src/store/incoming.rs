//! The folder for new files, and the thread that makes them last.
//!
//! Input: files that were written. Output: files that survive a power cut, before the manifest that names them does.
//! Whoever writes goes on at once: the disk is waited for in `Incoming::settle` alone.

use super::io;
use crate::error::StoreError;
use camino::{Utf8Path, Utf8PathBuf};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::fs::File;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Files that may wait, open: more, and the writers wait too.
const WAITING: usize = 64;

/// A folder beside the tables in which new files are written before they are moved into place.
#[derive(Debug, Clone)]
pub struct Incoming {
    path: Utf8PathBuf,
    syncs: Arc<Syncs>,
}

#[derive(Debug)]
struct Syncs {
    files: Sender<(Utf8PathBuf, File)>,
    results: Receiver<Result<(), StoreError>>,
    outstanding: AtomicUsize,
}

impl Incoming {
    /// For a folder that exists.
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        let (files, waiting) = bounded::<(Utf8PathBuf, File)>(WAITING);
        let (done, results) = unbounded();
        std::thread::spawn(move || {
            for (path, file) in waiting {
                // Nobody listens any more when the refresh failed; the files go then.
                let _ = done.send(file.sync_data().map_err(io("write", &path)));
            }
        });
        Self { path, syncs: Arc::new(Syncs { files, results, outstanding: AtomicUsize::new(0) }) }
    }

    /// Takes a file that is written.
    pub(super) fn sync(&self, path: Utf8PathBuf, file: File) {
        self.syncs.outstanding.fetch_add(1, Ordering::AcqRel);
        // The thread ends only when this sender does.
        let _ = self.syncs.files.send((path, file));
    }

    /// Waits until all files that were taken are on the disk.
    ///
    /// # Errors
    /// One of them is not.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        for _ in 0..self.syncs.outstanding.swap(0, Ordering::AcqRel) {
            // No answer can only mean that the thread is gone, and then nothing is known of the file.
            let gone = || std::io::Error::other("the thread that syncs files is gone");
            self.syncs.results.recv().unwrap_or_else(|_| Err(io("write", &self.path)(gone())))?;
        }
        Ok(())
    }
}

impl Deref for Incoming {
    type Target = Utf8Path;

    fn deref(&self) -> &Utf8Path {
        &self.path
    }
}
