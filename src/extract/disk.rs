//! What lies on disk beside a source: the skills that OpenCode would find through its directories, and Tachikoma's route tables.
//!
//! Input: a source's section of the manifest, the places to look at. Output: tables of the store, when something changed.

use super::catalog::{self, Catalog, RecordedDirectory, SkillRow};
use super::opencode::Files;
use super::routes::{self, Routes};
use crate::error::StoreError;
use crate::model::digest;
use crate::store::batch::Batch;
use crate::store::incoming::Incoming;
use crate::store::manifest::{DirectoryEntry, Manifest, SourceEntry};
use crate::store::parquet::{self, Place};
use crate::store::schema::{self, TableDef};

/// Tables of what lies on disk. The same things may be found through several sources.
pub(super) const TABLES: [&TableDef; 3] = [&schema::SKILL, &schema::ROUTE, &schema::MODEL_FORMAT];

/// What was found.
pub struct Disk {
    /// Skills as the source's generation of OpenCode sees them.
    pub skills: Catalog,
    /// Route tables.
    pub routes: Routes,
}

impl From<&DirectoryEntry> for RecordedDirectory {
    fn from(entry: &DirectoryEntry) -> Self {
        Self {
            project_id: entry.project_id.clone(),
            worktree: entry.worktree.clone(),
            directory: entry.directory.clone(),
        }
    }
}

/// Directories in which sessions of any source ran.
#[must_use]
pub fn recorded(manifest: &Manifest) -> Vec<RecordedDirectory> {
    let mut directories: Vec<_> = manifest.sources.iter().flat_map(|source| &source.directories).collect();
    directories.sort();
    directories.dedup();
    directories.into_iter().map(RecordedDirectory::from).collect()
}

/// Looks through the directories in which a source's sessions ran.
#[must_use]
pub fn discover(places: &catalog::Places, source: &SourceEntry) -> Disk {
    let is_second = source.generation.contains("v2");
    let generation = if is_second { catalog::Generation::V2 } else { catalog::Generation::V1 };
    let directories: Vec<RecordedDirectory> = source.directories.iter().map(RecordedDirectory::from).collect();
    Disk {
        skills: catalog::discover(&catalog::Places { generation, ..places.clone() }, &directories),
        routes: routes::discover(places, &directories),
    }
}

impl Disk {
    /// A hash of all that the tables say.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut text = String::new();
        for skill in &self.skills.skills {
            text.push_str(&format!("{skill:?}\n"));
        }
        text.push_str(&format!("{:?}\n{:?}\n", self.routes.routes, self.routes.formats));
        digest::sha256(text.as_bytes())
    }

    /// What could not be read.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let all = self.skills.warnings.iter().chain(&self.routes.warnings);
        all.map(|warning| format!("{}: {}", warning.path, warning.message))
    }

    /// Writes the tables of one source; no file for a table without rows.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn write(&self, source: &str, content: bool, incoming: &Incoming) -> Result<Files, StoreError> {
        let mut skills = Batch::new(&schema::SKILL, content, self.skills.skills.len());
        for skill in &self.skills.skills {
            push_skill(&mut skills, skill);
        }
        let [routes, formats] = self.routes.batches(content);
        let mut files = Files::new();
        for batch in [skills, routes, formats] {
            let own = files.entry(batch.table().name.to_owned()).or_default();
            if !batch.is_empty() {
                own.push(parquet::write(batch, Place { source: Some(source), partition: "all", incoming })?);
            }
        }
        Ok(files)
    }
}

fn push_skill(batch: &mut Batch, skill: &SkillRow) {
    batch
        .row()
        .text(skill.skill_name.as_deref())
        .text(Some(skill.scope.as_str()))
        .text(Some(skill.path.as_str()))
        .text(skill.project_id.as_deref())
        .text(skill.directory.as_deref())
        .int(Some(skill.description_chars))
        .int(Some(skill.body_chars))
        .text(skill.content_hash.as_deref())
        .int(skill.modified_at)
        .bool(Some(skill.is_hidden))
        .bool(Some(skill.is_shadowed))
        .text(skill.problem.as_deref());
}
