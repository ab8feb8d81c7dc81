//! What a folder of marts holds: each file with its size and hash, so that one that is missing, cut off, or in which a bit is
//! another is built anew and never read.
//!
//! Input: a folder of marts. Output: [`Sums`], kept in the folder. What it does not list does not count.

use crate::error::StoreError;
use crate::metric::QueryFile;
use crate::model::digest;
use crate::store::{io, walk, write_whole};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use xxhash_rust::xxh3::Xxh3;

/// Name of the list.
const FILE: &str = ".sums";

/// Bytes that are hashed in one go.
const CHUNK: usize = 1 << 18;

/// Files of a folder by their path in it, each with size and hash.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<String, (u64, String)>);

impl Sums {
    /// What a folder says of itself: nothing, when that is not what was written.
    pub(super) fn load(folder: &Utf8Path) -> Self {
        let parse = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let (hash, bytes) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
            Some((words.next()?.to_owned(), (bytes, hash)))
        };
        let bytes = std::fs::read(folder.join(FILE)).unwrap_or_default();
        let text = digest::unseal(FILE, &bytes).and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default();
        Self(text.lines().filter_map(parse).collect())
    }

    /// Writes the list into a folder.
    pub(super) fn save(&self, folder: &Utf8Path) -> Result<(), StoreError> {
        let line = |(name, (bytes, hash)): (&String, &(u64, String))| format!("{hash} {bytes} {name}\n");
        let text: String = self.0.iter().map(line).collect();
        let path = folder.join(FILE);
        write_whole(&path, &digest::seal(FILE, text.as_bytes())).map_err(io("write", &path))
    }

    /// Takes the files that were built below `incoming`, in place of those that these marts had.
    pub(super) fn take(&mut self, incoming: &Utf8Path) -> Result<(), StoreError> {
        let mut built = BTreeMap::new();
        for path in walk(incoming)? {
            let name = path.strip_prefix(incoming).unwrap_or(&path).as_str().to_owned();
            built.insert(name, measure(&path).map_err(io("read", &path))?);
        }
        let marts: HashSet<&str> = built.keys().map(|name| mart_of(name)).collect();
        self.0.retain(|name, _| !marts.contains(mart_of(name)));
        self.0.extend(built);
        Ok(())
    }

    /// The files of a mart: one, or those of its folder in the order of their numbers.
    pub(super) fn files_of(&self, folder: &Utf8Path, mart: &QueryFile) -> Vec<Utf8PathBuf> {
        self.0.keys().filter(|name| mart_of(name) == mart.name).map(|name| folder.join(name)).collect()
    }

    /// The mart was built, and all its files are there.
    pub(super) fn has(&self, folder: &Utf8Path, mart: &QueryFile) -> bool {
        let mut own = self.0.iter().filter(|(name, _)| mart_of(name) == mart.name).peekable();
        own.peek().is_some() && own.all(|(name, (bytes, _))| is_there(&folder.join(name), *bytes))
    }

    /// Files of marts that are not what was written.
    pub(super) fn broken(&self, folder: &Utf8Path, marts: &[&QueryFile]) -> Vec<Utf8PathBuf> {
        let own: Vec<_> =
            self.0.iter().filter(|(name, _)| marts.iter().any(|mart| mart_of(name) == mart.name)).collect();
        let is_broken = |path: &Utf8PathBuf, bytes: u64, hash: &str| {
            !is_there(path, bytes) || measure(path).ok().is_none_or(|(found, is)| found != bytes || is != hash)
        };
        own.into_par_iter()
            .map(|(name, (bytes, hash))| (folder.join(name), *bytes, hash))
            .filter(|(path, bytes, hash)| is_broken(path, *bytes, hash))
            .map(|(path, ..)| path)
            .collect()
    }
}

/// The mart whose file this is, or in whose folder it lies.
fn mart_of(name: &str) -> &str {
    name.split_once('/').map_or_else(|| name.strip_suffix(".parquet").unwrap_or(name), |(folder, _)| folder)
}

fn is_there(path: &Utf8Path, bytes: u64) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == bytes)
}

fn measure(path: &Utf8Path) -> std::io::Result<(u64, String)> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Xxh3::new();
    let (mut buffer, mut bytes) = (vec![0; CHUNK], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, format!("{:032x}", hasher.digest128()))),
            count => {
                hasher.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}
