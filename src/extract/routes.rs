//! The tables by which Tachikoma decides: what an intent is routed to, which edit format a model gets.
//!
//! Input: [`Places`] and the directories that OpenCode's database records. Output: [`Routes`]: per project the tables
//! that hold there. The three eras' own tables ship with Logicoma; a file of the user's takes the place of the shipped
//! table of its era, in its project or everywhere. A file that cannot be read is a warning, and the shipped table holds.

mod files;

use super::catalog::{Places, RecordedDirectory, Warning, folders};
use crate::store::batch::Batch;
use crate::store::schema;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

const SHIPPED_ROUTES: &str = include_str!("routes/shipped.csv");
const SHIPPED_FORMATS: &str = include_str!("routes/formats.csv");
/// Where a row is from when it is from no file.
const SHIPPED: &str = "shipped";

/// One row of the table `route`; a field per column.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the schema documents every column")]
pub struct RouteRow {
    pub project_id: Option<String>,
    pub era: &'static str,
    pub kind: String,
    pub name: String,
    pub skills: Option<String>,
    pub invoke_via: Option<String>,
    pub threshold: Option<f64>,
    pub strategy: Option<String>,
    pub origin: String,
    pub is_fallback: bool,
}

/// One row of the table `model_format`; a field per column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the schema documents every column")]
pub struct FormatRow {
    pub project_id: Option<String>,
    pub place: i64,
    pub name_part: String,
    pub is_exact: bool,
    pub format: String,
    pub origin: String,
}

/// The tables that hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    /// Routes for all projects first, then by project.
    pub routes: Vec<RouteRow>,
    /// Edit formats, in the same order.
    pub formats: Vec<FormatRow>,
    /// Sorted, each once.
    pub warnings: Vec<Warning>,
}

/// What one place says.
#[derive(Debug, Clone, Default)]
struct Found {
    routes: Vec<RouteRow>,
    formats: Vec<FormatRow>,
}

/// Finds the tables. Reads files only.
#[must_use]
pub fn discover(places: &Places, directories: &[RecordedDirectory]) -> Routes {
    let mut warnings = BTreeSet::new();
    let mut everywhere = Found::default();
    for path in &places.routes {
        everywhere.fill(files::read(path, &mut warnings));
    }
    for base in global_folders(places) {
        everywhere.fill(files::below(&base, &mut warnings));
    }
    let is_global = |folder: &Utf8Path| places.home.as_deref() == Some(folder);
    let mut by_project: BTreeMap<Option<String>, Found> = BTreeMap::new();
    for recorded in directories.iter().collect::<BTreeSet<_>>() {
        let mut own = Found::default();
        for folder in folders(places, recorded).iter().filter(|folder| !is_global(folder)) {
            for base in [folder.join(".opencode"), folder.clone()] {
                own.fill(files::below(&base, &mut warnings));
            }
        }
        by_project.entry(recorded.project_id.clone()).or_default().fill(own);
    }
    let shipped = shipped();
    let mut result = Routes { warnings: warnings.into_iter().collect(), ..Routes::default() };
    let global = complete(&everywhere, &shipped);
    result.add(None, &global);
    for (project, own) in by_project {
        if let Some(project) = project {
            result.add(Some(&project), &own.beside(&everywhere, &shipped));
        }
    }
    result
}

/// Where OpenCode's and Tachikoma's own files lie for all projects; Tachikoma's installer writes the second one.
fn global_folders(places: &Places) -> Vec<Utf8PathBuf> {
    let config = places.config_home.clone().or_else(|| places.home.as_ref().map(|home| home.join(".config")));
    let mut folders: Vec<Utf8PathBuf> = places.config_dir.iter().cloned().collect();
    folders.extend(config.iter().flat_map(|config| [config.join("opencode"), config.join(".opencode")]));
    folders.extend(places.home.iter().map(|home| home.join(".opencode")));
    folders
}

/// The tables that ship.
fn shipped() -> Found {
    let mut found = Found::default();
    for row in csv::Reader::from_reader(SHIPPED_ROUTES.as_bytes()).into_records().flatten() {
        let cell = |at: usize| row.get(at).filter(|cell| !cell.is_empty()).map(str::to_owned);
        found.routes.push(RouteRow {
            era: ["e1", "e2", "e3"].into_iter().find(|era| row.get(0) == Some(*era)).unwrap_or_default(),
            kind: cell(1).unwrap_or_default(),
            name: cell(2).unwrap_or_default(),
            skills: cell(3),
            invoke_via: cell(4),
            threshold: cell(5).and_then(|number| number.parse().ok()),
            strategy: cell(6),
            origin: SHIPPED.to_owned(),
            ..RouteRow::default()
        });
    }
    for row in csv::Reader::from_reader(SHIPPED_FORMATS.as_bytes()).into_records().flatten() {
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        found.formats.push(FormatRow {
            name_part: cell(0),
            format: cell(1),
            origin: SHIPPED.to_owned(),
            ..FormatRow::default()
        });
    }
    found
}

/// The routers of the first two eras read tables of one kind: a file for one holds for the other, too.
fn eras_of(era: &str) -> &'static [&'static str] {
    if era == "e3" { &["e3"] } else { &["e1", "e2"] }
}

impl Found {
    fn has_routes(&self, era: &str) -> bool {
        self.routes.iter().any(|row| row.kind == "intent" && eras_of(era).contains(&row.era))
    }

    /// Takes what a farther place says of things that nearer places say nothing of.
    fn fill(&mut self, farther: Self) {
        for era in ["e1", "e3"] {
            if !self.has_routes(era) {
                let rows = farther.routes.iter().filter(|row| eras_of(era).contains(&row.era));
                self.routes.extend(rows.cloned());
            }
        }
        if self.formats.is_empty() {
            self.formats = farther.formats;
        }
    }

    /// What holds in a project whose own tables these are: nothing where it has none.
    fn beside(&self, everywhere: &Self, shipped: &Self) -> Self {
        let mut found = Self::default();
        for era in ["e1", "e2", "e3"] {
            if self.has_routes(era) {
                found.routes.extend(table(self, era));
                found.routes.extend(fallback(&found.routes, era, &complete(everywhere, shipped).routes));
            }
        }
        found.formats.clone_from(&self.formats);
        found
    }
}

/// A place's rows as the table of one era.
fn table(found: &Found, era: &'static str) -> Vec<RouteRow> {
    let has_exact = found.routes.iter().any(|row| row.kind == "intent" && row.era == era);
    let fits = |row: &&RouteRow| if has_exact { row.era == era } else { eras_of(era).contains(&row.era) };
    found.routes.iter().filter(fits).map(|row| RouteRow { era, ..row.clone() }).collect()
}

/// Rows of another table whose names this one lacks.
fn fallback(own: &[RouteRow], era: &str, other: &[RouteRow]) -> Vec<RouteRow> {
    let lacks = |row: &&RouteRow| {
        row.era == era && !own.iter().any(|known| known.era == era && known.kind == row.kind && known.name == row.name)
    };
    other.iter().filter(lacks).map(|row| RouteRow { is_fallback: true, ..row.clone() }).collect()
}

/// The user's tables, and the shipped ones where there are none.
fn complete(everywhere: &Found, shipped: &Found) -> Found {
    let mut found = Found::default();
    for era in ["e1", "e2", "e3"] {
        if everywhere.has_routes(era) {
            found.routes.extend(table(everywhere, era));
            found.routes.extend(fallback(&found.routes, era, &shipped.routes));
        } else {
            found.routes.extend(shipped.routes.iter().filter(|row| row.era == era).cloned());
            found.routes.extend(table(everywhere, era));
        }
    }
    let formats = if everywhere.formats.is_empty() { &shipped.formats } else { &everywhere.formats };
    found.formats.clone_from(formats);
    found
}

impl Routes {
    /// The user's own files that hold somewhere, sorted.
    #[must_use]
    pub fn own_files(&self) -> Vec<&str> {
        let origins = self.routes.iter().map(|row| &row.origin).chain(self.formats.iter().map(|row| &row.origin));
        let files: BTreeSet<&str> = origins.map(String::as_str).filter(|origin| *origin != SHIPPED).collect();
        files.into_iter().collect()
    }

    /// Rows of the two tables.
    #[must_use]
    pub fn batches(&self, content: bool) -> [Batch; 2] {
        let mut routes = Batch::new(&schema::ROUTE, content, self.routes.len());
        for route in &self.routes {
            routes
                .row()
                .text(route.project_id.as_deref())
                .text(Some(route.era))
                .text(Some(&route.kind))
                .text(Some(&route.name))
                .text(route.skills.as_deref())
                .text(route.invoke_via.as_deref())
                .float(route.threshold)
                .text(route.strategy.as_deref())
                .text(Some(&route.origin))
                .bool(Some(route.is_fallback));
        }
        let mut formats = Batch::new(&schema::MODEL_FORMAT, content, self.formats.len());
        for format in &self.formats {
            formats
                .row()
                .text(format.project_id.as_deref())
                .int(Some(format.place))
                .text(Some(&format.name_part))
                .bool(Some(format.is_exact))
                .text(Some(&format.format))
                .text(Some(&format.origin));
        }
        [routes, formats]
    }

    fn add(&mut self, project: Option<&str>, found: &Found) {
        let project_id = project.map(str::to_owned);
        self.routes.extend(found.routes.iter().map(|row| RouteRow { project_id: project_id.clone(), ..row.clone() }));
        self.formats.extend((0..).zip(&found.formats).map(|(place, row)| FormatRow {
            project_id: project_id.clone(),
            place,
            ..row.clone()
        }));
    }
}

#[cfg(test)]
#[path = "routes/tests.rs"]
mod tests;
