//! Which snapshots stay, and taking the others away.
//!
//! Input: the archive, how many to keep. Output: the fate of each. Files that others share stay with them: they are links.

use super::{Archive, Listed};
use crate::error::SnapshotError;
use crate::store::{io, sync_folder};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// How many snapshots of each machine to keep.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The newest.
    pub last: usize,
    /// The newest of each of so many weeks that have one.
    pub weekly: usize,
    /// The zone in which weeks begin.
    pub zone: TimeZone,
}

/// What becomes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// Its name.
    pub name: String,
    /// Why it stays; None = it goes.
    pub kept_for: Option<String>,
    /// Bytes that its removal frees: files that no kept snapshot shares.
    pub freed_bytes: u64,
}

impl Archive {
    /// Decides, and unless `dry` removes what is not kept. Snapshots that cannot be read are kept: nobody knows what
    /// they are.
    ///
    /// # Errors
    /// The archive cannot be read or written.
    pub fn prune(&self, keep: &Keep, dry: bool) -> Result<Vec<Fate>, SnapshotError> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let _lock = if dry { None } else { self.lock()? };
        let listed = self.list()?;
        let fates = plan(&listed, keep);
        if dry {
            return Ok(fates);
        }
        for fate in fates.iter().filter(|fate| fate.kept_for.is_none()) {
            // Renamed first: a crash half-way leaves no half snapshot.
            let going = format!(".removed-{}", fate.name);
            self.clear(std::slice::from_ref(&going))?;
            let path = self.root.join(&fate.name);
            std::fs::rename(&path, self.root.join(&going)).map_err(io("remove", &path))?;
            sync_folder(&self.root)?;
            self.clear(&[going])?;
        }
        let left: Vec<String> = self
            .root
            .read_dir_utf8()
            .map_err(io("read", &self.root))?
            .filter_map(Result::ok)
            .map(|entry| entry.file_name().to_owned())
            .filter(|name| name.starts_with(".removed-"))
            .collect();
        self.clear(&left)?;
        Ok(fates)
    }
}

fn plan(listed: &[Listed], keep: &Keep) -> Vec<Fate> {
    let mut reasons: BTreeMap<&str, String> = BTreeMap::new();
    let machines: BTreeSet<Option<&str>> =
        listed.iter().filter_map(Listed::entry).map(|entry| entry.source.as_deref()).collect();
    for machine in machines {
        let own =
            || listed.iter().rev().filter_map(Listed::entry).filter(move |entry| entry.source.as_deref() == machine);
        for (index, entry) in own().take(keep.last).enumerate() {
            reasons.insert(&entry.name, if index == 0 { "newest".into() } else { format!("last {}", keep.last) });
        }
        let mut weeks = BTreeSet::new();
        for entry in own() {
            let week = week_of(entry.created_at, &keep.zone);
            if !weeks.contains(&week) && weeks.len() < keep.weekly {
                reasons.entry(&entry.name).or_insert_with(|| format!("newest of {week}"));
                weeks.insert(week);
            }
        }
    }
    let kept_files: BTreeSet<&str> = listed
        .iter()
        .filter(|one| reasons.contains_key(one.name.as_str()))
        .filter_map(|one| one.manifest.as_ref().ok())
        .flat_map(|manifest| manifest.files().map(|file| file.sha256.as_str()))
        .collect();
    let mut counted = BTreeSet::new();
    listed
        .iter()
        .map(|one| {
            let kept_for = match &one.manifest {
                Ok(_) => reasons.get(one.name.as_str()).cloned(),
                Err(_) => Some("cannot be read".into()),
            };
            let goes = one.manifest.as_ref().ok().filter(|_| kept_for.is_none());
            let freed_bytes = goes
                .into_iter()
                .flat_map(super::super::manifest::Manifest::files)
                .filter(|file| !kept_files.contains(file.sha256.as_str()) && counted.insert(file.sha256.as_str()))
                .map(|file| file.bytes)
                .sum();
            Fate { name: one.name.clone(), kept_for, freed_bytes }
        })
        .collect()
}

fn week_of(moment: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(moment).map_or_else(
        |_| moment.to_string(),
        |time| {
            let week = zone.to_datetime(time).date().iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        },
    )
}
