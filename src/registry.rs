//! One checked list of everything that can be asked: embedded query files, the user's own, and polars pipelines.
//!
//! Input: the files embedded from `queries/`, and folders of the user's (later folders win by layer and name).
//! Output: [`Registry`]. A wrong header is an error with file and line.

use crate::error::RegistryError;
use crate::metric::{EngineKind, Layer, QueryFile};
use crate::model::digest;
use crate::pipeline::{PIPELINES, Pipeline};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

#[derive(rust_embed::RustEmbed)]
#[folder = "queries/"]
#[include = "*.sql"]
struct Embedded;

/// Order of the families on pages and in lists.
pub const FAMILIES: &[&str] =
    &["usage", "tools", "tokens", "skills", "edits", "verification", "rlm", "intent", "trends", "health"];

/// All files, checked.
#[derive(Debug, Default)]
pub struct Registry {
    files: BTreeMap<(Layer, String), QueryFile>,
}

fn layer_of(path: &str) -> Layer {
    match path.split('/').next().unwrap_or_default() {
        "staging" => Layer::Staging,
        "marts" => Layer::Mart,
        "metrics" => Layer::Metric,
        "findings" => Layer::Finding,
        "checks" => Layer::Check,
        _ => Layer::Free,
    }
}

impl Registry {
    /// Reads the embedded files, then those of the folders that exist.
    ///
    /// # Errors
    /// A header is wrong, a file cannot be read, or a pipeline and its file do not match.
    pub fn load(folders: &[Utf8PathBuf]) -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        for path in Embedded::iter() {
            if let Some(file) = Embedded::get(&path) {
                registry.add(&path, layer_of(&path), &String::from_utf8_lossy(&file.data))?;
            }
        }
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            registry.add_folder(folder)?;
        }
        registry.check()?;
        Ok(registry)
    }

    fn add(&mut self, path: &str, layer: Layer, text: &str) -> Result<(), RegistryError> {
        let file = QueryFile { is_embedded: true, ..QueryFile::parse(path, layer, text)? };
        self.files.insert((layer, file.name.clone()), file);
        Ok(())
    }

    fn add_folder(&mut self, folder: &Utf8Path) -> Result<(), RegistryError> {
        let mut paths: Vec<_> = walkdir::WalkDir::new(folder)
            .max_depth(4)
            .into_iter()
            .filter_map(Result::ok)
            .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok())
            .filter(|path| path.extension() == Some("sql"))
            .collect();
        paths.sort();
        for path in paths {
            let relative = path.strip_prefix(folder).unwrap_or(&path).as_str().to_owned();
            let text =
                fs_err::read_to_string(&path).map_err(|source| RegistryError::Io { path: path.clone(), source })?;
            let same = Embedded::get(&relative).is_some_and(|file| *file.data == *text.as_bytes());
            if !same {
                let layer = layer_of(&relative);
                let mut file = QueryFile::parse(path.as_str(), layer, &text)?;
                if layer == Layer::Metric {
                    file.family = relative.split('/').nth(1).filter(|part| !part.ends_with(".sql")).map(str::to_owned);
                }
                self.files.insert((layer, file.name.clone()), file);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), RegistryError> {
        for file in self.metrics() {
            let has_pipeline = PIPELINES.iter().any(|(name, _)| *name == file.name);
            let wants_pipeline = file.engine == EngineKind::Polars;
            if has_pipeline != wants_pipeline {
                let problem = if wants_pipeline {
                    "engine is polars, but there is no pipeline of this name"
                } else {
                    "there is a polars pipeline of this name, but the header does not say engine: polars"
                };
                return Err(RegistryError::Header { file: file.path.clone(), line: 1, problem: problem.into() });
            }
        }
        Ok(())
    }

    /// Files of a layer, ordered by name.
    pub fn layer(&self, layer: Layer) -> impl Iterator<Item = &QueryFile> {
        self.files.iter().filter(move |((of, _), _)| *of == layer).map(|(_, file)| file)
    }

    /// Metrics in the order of families, then names.
    #[must_use]
    pub fn metrics(&self) -> Vec<&QueryFile> {
        let mut metrics: Vec<&QueryFile> = self.layer(Layer::Metric).collect();
        metrics.sort_by_key(|file| (family_rank(file.family.as_deref()), file.family.clone(), file.name.clone()));
        metrics
    }

    /// One file by layer and name.
    #[must_use]
    pub fn get(&self, layer: Layer, name: &str) -> Option<&QueryFile> {
        self.files.get(&(layer, name.to_owned()))
    }

    /// Metrics by name or family, in the registry's order.
    ///
    /// # Errors
    /// A name is neither a metric nor a family.
    pub fn select(&self, names: &[String]) -> Result<Vec<&QueryFile>, RegistryError> {
        let all = self.metrics();
        for name in names {
            if !all.iter().any(|file| file.name == *name || file.family.as_deref() == Some(name)) {
                return Err(unknown("metric", name, all.iter().map(|file| file.name.as_str())));
            }
        }
        Ok(all
            .into_iter()
            .filter(|file| names.iter().any(|name| file.name == *name || file.family.as_deref() == Some(name)))
            .collect())
    }

    /// A query by name: a user's own, a metric, a check or a finding.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn query(&self, name: &str) -> Result<&QueryFile, RegistryError> {
        [Layer::Free, Layer::Metric, Layer::Check, Layer::Finding]
            .iter()
            .find_map(|layer| self.get(*layer, name))
            .ok_or_else(|| unknown("query", name, self.files.values().map(|file| file.name.as_str())))
    }

    /// The pipeline of a polars metric.
    #[must_use]
    pub fn pipeline(name: &str) -> Option<Pipeline> {
        PIPELINES.iter().find(|(of, _)| *of == name).map(|(_, pipeline)| *pipeline)
    }

    /// A hash of everything that can be asked.
    #[must_use]
    pub fn key(&self) -> String {
        Self::hash(self.files.values())
    }

    /// A hash of everything that marts are built from.
    #[must_use]
    pub fn mart_key(&self) -> String {
        Self::hash(self.layer(Layer::Staging).chain(self.layer(Layer::Mart)))
    }

    fn hash<'a>(files: impl Iterator<Item = &'a QueryFile>) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        for file in files {
            hash.update(file.name.as_bytes());
            hash.update(file.text.as_bytes());
        }
        digest::hex(&hash.finalize())
    }
}

fn family_rank(family: Option<&str>) -> usize {
    FAMILIES.iter().position(|name| Some(*name) == family).unwrap_or(FAMILIES.len())
}

/// The error for a name that does not exist, with the nearest that does.
#[must_use]
pub fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> RegistryError {
    let nearest = known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known.to_owned());
    RegistryError::Unknown { what, name: name.to_owned(), nearest }
}
