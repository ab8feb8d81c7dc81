//! What readers hand over: events, counters and bad lines, gathered into the store's columns.
//!
//! Input: events of one file after the other. Output: batches by week, each event id once, and counts per file.

use super::event::{Cell, Event, write_cells};
use crate::extract::opencode::week_of;
use crate::store::batch::Batch;
use crate::store::schema::{QUARANTINE, TELEMETRY, TELEMETRY_TOTAL};
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, HashMap, HashSet};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Whose folder a file lies in, and how it is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub path: Utf8PathBuf,
    /// Project, where known.
    pub project_id: Option<String>,
    /// Recorded directory, where known.
    pub directory: Option<String>,
    /// Take figures that are invented.
    pub is_synthetic: bool,
}

/// What one file gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Events taken.
    pub events: u64,
    /// Of these, events that the store did not have.
    pub added: u64,
    /// Events whose id was known.
    pub duplicates: u64,
    /// Lines and items in the quarantine.
    pub bad: u64,
    /// Counters taken.
    pub totals: u64,
    /// Events of which a value made no sense.
    pub problems: u64,
}

/// Hashes of the ids in the store, each with the hash of the file from which it came.
pub(super) type Known = HashMap<u128, u64>;

/// The key of an event id.
pub(super) fn id_key(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

/// The key of a file.
pub(super) fn path_key(path: &str) -> u64 {
    xxh3_64(path.as_bytes())
}

/// The columns that tell two counters apart.
pub(super) const TOTAL_KEY: [&str; 6] = ["path", "source", "kind", "subject", "format", "counter"];

/// The key of a counter, from these columns.
pub(super) fn total_key(values: [&str; 6]) -> u128 {
    xxh3_128(values.join("\0").as_bytes())
}

/// A counter without the events behind it.
#[derive(Debug, Default)]
pub(super) struct Total<'a> {
    /// Kind of event that it counts.
    pub kind: &'static str,
    /// Skill, model or intent.
    pub subject: Option<&'a str>,
    /// Edit format.
    pub format: Option<&'a str>,
    /// Its name in the file.
    pub counter: &'a str,
    /// Its value.
    pub value: Option<f64>,
    /// The true figure is this or more.
    pub is_lower_bound: bool,
    /// What it really counts.
    pub meaning: &'static str,
    /// When the file was last changed by its own word.
    pub updated_at: Option<i64>,
}

/// Takes what readers find.
pub(super) struct Sink<'a> {
    known: &'a Known,
    /// Ids that were read now.
    pub seen: HashSet<u128>,
    /// Keys of the counters that were read now.
    pub seen_totals: HashSet<u128>,
    content: bool,
    /// New events by week.
    pub events: BTreeMap<String, Batch>,
    /// Counters.
    pub totals: Batch,
    /// Bad lines.
    pub bad: Batch,
    place: Place,
    counts: Counts,
}

impl<'a> Sink<'a> {
    /// An empty one; `known` are the ids in the store.
    pub(super) fn new(known: &'a Known, content: bool) -> Self {
        Self {
            known,
            seen: HashSet::new(),
            seen_totals: HashSet::new(),
            content,
            events: BTreeMap::new(),
            totals: Batch::new(&TELEMETRY_TOTAL, content, 0),
            bad: Batch::new(&QUARANTINE, content, 0),
            place: Place::default(),
            counts: Counts::default(),
        }
    }

    /// What follows is of this file.
    pub(super) fn begin(&mut self, place: Place) {
        self.place = place;
        self.counts = Counts::default();
    }

    /// What the file gave so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Invented figures are wanted of this file.
    pub(super) fn takes_synthetic(&self) -> bool {
        self.place.is_synthetic
    }

    /// Takes an event that has an id.
    pub(super) fn event(&mut self, mut event: Event, raw: &str) {
        let key = id_key(event.text("id").unwrap_or_default());
        let is_others = self.known.get(&key).is_some_and(|file| *file != path_key(self.place.path.as_str()));
        if is_others || !self.seen.insert(key) {
            self.counts.duplicates += 1;
            return;
        }
        event.set("path", self.place.path.as_str());
        event.maybe("project_id", self.place.project_id.as_deref());
        event.maybe("directory", self.place.directory.as_deref());
        event.set("raw", raw);
        if event.get("is_synthetic").is_none() {
            event.set("is_synthetic", false);
        }
        self.counts.events += 1;
        self.counts.added += u64::from(!self.known.contains_key(&key));
        self.counts.problems += u64::from(event.has_problem());
        let content = self.content;
        let batch = self.events.entry(week_of(event.time())).or_insert_with(|| Batch::new(&TELEMETRY, content, 16));
        event.write(batch);
    }

    /// A line (or item, or the file as a whole) that is no event.
    pub(super) fn bad(&mut self, line: Option<i64>, reason: &str, raw: &[u8]) {
        self.counts.bad += 1;
        let path = self.place.path.as_str();
        let row_id = line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"));
        self.bad
            .row()
            .text(Some("telemetry"))
            .text(Some(&row_id))
            .text(None)
            .text(Some(reason))
            .int(None)
            .text(Some(&String::from_utf8_lossy(raw)));
    }

    /// Takes a counter.
    pub(super) fn total(&mut self, source: &str, total: &Total<'_>) {
        self.counts.totals += 1;
        let (subject, format) = (total.subject.unwrap_or_default(), total.format.unwrap_or_default());
        let key = [self.place.path.as_str(), source, total.kind, subject, format, total.counter];
        self.seen_totals.insert(total_key(key));
        let text = |text: Option<&str>| text.map(Cell::from);
        let cells = [
            ("path", text(Some(self.place.path.as_str()))),
            ("source", text(Some(source))),
            ("project_id", text(self.place.project_id.as_deref())),
            ("directory", text(self.place.directory.as_deref())),
            ("kind", text(Some(total.kind))),
            ("subject", text(total.subject)),
            ("format", text(total.format)),
            ("counter", text(Some(total.counter))),
            ("value", total.value.map(Cell::Float)),
            ("is_lower_bound", Some(Cell::Bool(total.is_lower_bound))),
            ("meaning", text(Some(total.meaning))),
            ("updated_at", total.updated_at.map(Cell::Int)),
        ];
        write_cells(&mut self.totals, |column| {
            cells.iter().find(|(name, _)| *name == column).and_then(|(_, cell)| cell.as_ref())
        });
    }
}
