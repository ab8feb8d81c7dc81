//! What a verb works with: options, environment and configuration resolved once, here and nowhere else.

use super::config::Settings;
use super::globals::Globals;
use super::printer::Printer;
use super::progress::Bar;
use super::{Usage, environment::Environment, select};
use crate::engine::asker::Asker;
use crate::engine::duck::Duck;
use crate::engine::marts::{self, Workshop};
use crate::engine::memo::Memo;
use crate::engine::scope::{Filter, Scope};
use crate::engine::{self, Wanted};
use crate::error::LocateError;
use crate::extract::opencode::locate::{Found, Places, locate, passed_over};
use crate::extract::{Refreshed, Request, catalog, refresh};
use crate::metric::QueryFile;
use crate::model::period::PeriodSpec;
use crate::registry::Registry;
use crate::store::manifest::Manifest;
use crate::store::{Reading, Store};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cell::OnceCell;
use tempfile::TempDir;

/// Resolved options.
pub struct Context {
    /// As given.
    pub globals: Globals,
    /// Where to print.
    pub printer: Printer,
    /// The environment.
    pub environment: Environment,
    /// Configuration files.
    pub settings: Settings,
    /// The clock.
    pub now: Timestamp,
    /// The zone in which days begin.
    pub zone: TimeZone,
    /// Its name.
    pub zone_name: String,
    /// Takes what is derived from snapshots, in which nothing is written; gone with the run.
    pub(super) scratch: OnceCell<TempDir>,
}

/// The texts of query files, for [`Context::ready`].
#[must_use]
pub fn texts_of(files: &[&QueryFile]) -> Vec<String> {
    files.iter().map(|file| file.text.clone()).collect()
}

/// A store with its views, ready to be asked.
pub struct Ready {
    /// The store.
    pub store: Store,
    /// Its state.
    pub manifest: Manifest,
    /// Everything that can be asked.
    pub registry: Registry,
    /// The database.
    pub duck: Duck,
    /// Period and filters.
    pub scope: Scope,
    /// What the refresh did; None with `--no-extract`.
    pub refreshed: Option<Refreshed>,
    /// Keeps the store's files in place.
    pub reading: Reading,
}

/// A store's state as far as a run looks at it.
pub struct State {
    /// The store.
    pub store: Store,
    /// Its state.
    pub manifest: Manifest,
    /// What the refresh did; None without one.
    pub refreshed: Option<Refreshed>,
    /// Keeps the store's files in place.
    pub reading: Reading,
}

/// A store's state and what can be asked of it; the database is opened when something must be computed.
pub struct Known {
    /// The store.
    pub store: Store,
    /// Its state.
    pub manifest: Manifest,
    /// Everything that can be asked.
    pub registry: Registry,
    /// Period and filters.
    pub scope: Scope,
    /// Keeps the store's files in place.
    pub reading: Reading,
}

impl Known {
    /// Asks this store; `texts` name the views that questions may need.
    #[must_use]
    pub fn asker(&self, texts: Vec<String>) -> Asker<'_> {
        let memo = Memo::new(&marts::folder_of(&self.store, &self.manifest, &self.registry), &self.scope);
        let opener = move || {
            let wanted = Wanted::of(texts.iter().map(String::as_str), &self.registry);
            let duck = open(&self.store, &self.manifest, &self.registry, &wanted)?;
            engine::scoped(&duck, &self.registry, &self.scope, &wanted)?;
            if texts.len() > 1 {
                duck.one_thread_each()?;
            }
            duck.lock()?;
            Ok(duck)
        };
        Asker::new(Box::new(opener), memo, self.scope.period.clone())
    }
}

impl Context {
    /// Resolves the options.
    ///
    /// # Errors
    /// The zone, the clock or a configuration file is wrong.
    pub fn new(globals: Globals, printer: Printer, environment: Environment) -> anyhow::Result<Self> {
        let settings = Settings::load(globals.config.as_deref(), &environment)?;
        let zone_name = globals
            .timezone
            .clone()
            .or_else(|| settings.text("timezone"))
            .or_else(|| environment.zone.clone())
            .unwrap_or_else(|| "UTC".to_owned());
        let zone = TimeZone::get(&zone_name).map_err(|_| {
            Usage(format!("'{zone_name}' is not a time zone: write an IANA name such as Europe/Berlin"))
        })?;
        let now = match globals.now.as_deref() {
            Some(text) => text
                .parse()
                .map_err(|_| Usage(format!("--now '{text}' is not RFC 3339: write 2026-11-22T12:00:00Z")))?,
            None => environment.now,
        };
        Ok(Self { globals, printer, environment, settings, now, zone, zone_name, scratch: OnceCell::new() })
    }

    /// The store.
    ///
    /// # Errors
    /// No place for it is known, or it is an archive of snapshots.
    pub fn store(&self) -> anyhow::Result<Store> {
        let path = self
            .globals
            .store
            .clone()
            .or_else(|| self.environment.store.clone())
            .or_else(|| self.settings.path("store"))
            .or_else(|| self.environment.data_home().map(|home| home.join("logicoma/store")))
            .ok_or_else(|| Usage("no home directory is known: name a folder with --store DIR".into()))?;
        let path = camino::absolute_utf8(&path).with_context(|| format!("cannot resolve {path}"))?;
        if path.as_str().contains(['*', '?']) {
            let text =
                format!("the store {path} has * or ? in its path, which DuckDB takes for patterns: name another");
            return Err(Usage(text).into());
        }
        let store = Store::at(&path);
        store.refuse_archive()?;
        Ok(store)
    }

    /// Where databases are looked for.
    #[must_use]
    pub fn data_places(&self) -> Places {
        let db = if self.globals.db.is_empty() { self.settings.list("db") } else { self.globals.db.clone() };
        Places {
            db,
            env_db: self.environment.opencode_db.clone(),
            env_data_dir: self.environment.opencode_data_dir.clone(),
            data_folder: self.environment.data_home().map(|home| home.join("opencode")),
        }
    }

    /// The databases; beside them, what is wrong with one that is named and is not there.
    ///
    /// # Errors
    /// There are none.
    pub fn found(&self) -> Result<(Vec<Found>, Option<LocateError>), LocateError> {
        locate(&self.data_places())
    }

    /// Where skills and OpenCode's configuration are.
    #[must_use]
    pub fn skill_places(&self) -> catalog::Places {
        let given = self.globals.home.clone().or_else(|| self.settings.path("home"));
        // With another home, this machine's own variables say nothing about it.
        let own = given.is_none();
        let mut map = self.globals.map.clone();
        map.extend(self.settings.map());
        catalog::Places {
            home: given.or_else(|| self.environment.home.clone()),
            config_home: self.environment.config_home.clone().filter(|_| own),
            config_dir: self.environment.opencode_config_dir.clone().filter(|_| own),
            map,
            no_claude: own && self.environment.no_claude_skills,
            no_external: own && self.environment.no_external_skills,
            routes: self.settings.list("routes").into_iter().map(Utf8PathBuf::from).collect(),
            ..catalog::Places::default()
        }
    }

    /// Period, zone and filters.
    ///
    /// # Errors
    /// The period cannot be understood.
    pub fn scope(&self, default: PeriodSpec) -> anyhow::Result<Scope> {
        let period = self
            .globals
            .period_spec(default)
            .resolve(self.now, &self.zone)
            .map_err(|error| Usage(error.to_string()))?;
        let filter = |include: &Vec<String>, exclude: &Vec<String>| Filter {
            include: include.clone(),
            exclude: exclude.clone(),
        };
        let globals = &self.globals;
        Ok(Scope {
            period,
            now: self.now,
            zone: self.zone.clone(),
            zone_name: self.zone_name.clone(),
            project: filter(&globals.project, &globals.exclude_project),
            model: filter(&globals.model, &globals.exclude_model),
            agent: filter(&globals.agent, &globals.exclude_agent),
            count_forks: globals.count_forks,
        })
    }

    /// Says on standard error what a run looks at: the period as it was understood, and the zone.
    pub fn say_period(&self, scope: &Scope) {
        let period = &scope.period;
        let side =
            |date: Option<jiff::civil::Date>, open: &str| date.map_or_else(|| open.to_owned(), |date| date.to_string());
        let span = match (period.first, period.last) {
            _ if period.is_all => "everything recorded".to_owned(),
            (Some(first), Some(last)) if first == last => first.to_string(),
            (first, last) => format!("{} to {}", side(first, "the beginning"), side(last, "now")),
        };
        let unfinished = if period.is_unfinished && period.last.is_some() { ", not over yet" } else { "" };
        self.printer.note(&format!("period: {span}{unfinished}; days of {}", scope.zone_name));
    }

    /// Folders of the user's own queries; later ones win.
    #[must_use]
    pub fn query_folders(&self) -> Vec<Utf8PathBuf> {
        let mut folders = Vec::new();
        folders.extend(self.environment.config_folder().map(|folder| folder.join("queries")));
        if self.globals.queries.is_empty() {
            folders.push(Utf8PathBuf::from("queries"));
        }
        folders.extend(self.settings.path("queries"));
        folders.extend(self.globals.queries.iter().cloned());
        folders
    }

    /// Everything that can be asked.
    ///
    /// # Errors
    /// A query file is wrong.
    pub fn registry(&self) -> anyhow::Result<Registry> {
        if let Some(folder) = self.globals.queries.iter().find(|folder| !folder.is_dir()) {
            return Err(Usage(format!("--queries {folder} is not a folder")).into());
        }
        Ok(Registry::load(&self.query_folders())?)
    }

    /// Brings the store up to date.
    ///
    /// # Errors
    /// No database, an unreadable one, or an unwritable store.
    pub fn refresh(&self, store: &Store, content: Option<bool>, full: bool) -> anyhow::Result<Refreshed> {
        for notice in passed_over(&self.data_places()) {
            self.printer.warn(&notice);
        }
        let (found, missing) = self.found()?;
        let places = self.skill_places();
        let bar = Bar::new(&self.printer);
        let (zone, now) = (&self.zone, self.now.as_millisecond());
        let request = Request { found: &found, places: &places, content, full, zone, now };
        let refreshed = refresh(store, &request, &bar);
        bar.finish();
        let refreshed = refreshed?;
        for notice in &refreshed.notices {
            self.printer.warn(notice);
        }
        // Deleted projects are normal: one line says how many, `doctor` says which.
        match refreshed.warnings.as_slice() {
            [] => {}
            [only] => tracing::info!("{only}"),
            many => tracing::info!("{} skill folders could not be looked at; `logicoma doctor` lists them", many.len()),
        }
        // What is there was read all the same.
        missing.map_or(Ok(refreshed), |missing| Err(missing.into()))
    }

    /// The store, refreshed unless `--no-extract`; a snapshot as it is.
    ///
    /// # Errors
    /// As [`Context::refresh`]; without database an existing store does.
    pub fn fresh(&self, content: Option<bool>) -> anyhow::Result<(Store, Option<Refreshed>)> {
        let store = self.store()?;
        if Manifest::is_snapshot(store.root()) {
            return Ok((self.frozen(store)?, None));
        }
        if self.globals.no_extract {
            let is_writable = tempfile::tempfile_in(store.work()).is_ok();
            return Ok((if is_writable { store } else { self.frozen(store)? }, None));
        }
        if select::is_shared(&store, &self.globals) {
            self.printer.note("this store is written by named sources: using it as it is");
            return Ok((store, None));
        }
        match self.refresh(&store, content, false) {
            Ok(refreshed) => Ok((store, Some(refreshed))),
            Err(error) => {
                let nothing_found = matches!(error.downcast_ref(), Some(LocateError::NotFound { .. }));
                if !nothing_found || !self.data_places().db.is_empty() || store.manifest().is_err() {
                    return Err(error);
                }
                self.printer.warn(&format!("{error}; using the store as it is"));
                Ok((store, None))
            }
        }
    }

    /// The store's state as far as it is looked at, refreshed unless `--no-extract`.
    ///
    /// # Errors
    /// As [`Context::fresh`]; a file of the store is damaged.
    pub fn state(&self, content: Option<bool>) -> anyhow::Result<State> {
        let (store, refreshed) = self.fresh(content)?;
        let reading = store.reading();
        let mut manifest = store.manifest()?;
        if let Some(note) = select::select(&mut manifest, &store, &self.globals)? {
            self.printer.note(&note);
        }
        store.check(&manifest)?;
        if refreshed.is_none() {
            // A refresh says it itself.
            select::damage(&manifest).for_each(|text| self.printer.warn(&text));
        }
        Ok(State { store, manifest, refreshed, reading })
    }

    /// A store that is asked only for what is not known yet; `texts` name the views that may be needed.
    ///
    /// # Errors
    /// As [`Context::state`], or a query file is wrong.
    pub fn known(&self, default: PeriodSpec, content: Option<bool>) -> anyhow::Result<Known> {
        let scope = self.scope(default)?;
        let registry = self.registry()?;
        let State { store, manifest, reading, .. } = self.state(content)?;
        Ok(Known { store, manifest, registry, scope, reading })
    }

    /// A store with the views of a run: those that the texts name which `texts` gives (nothing = all views).
    ///
    /// # Errors
    /// As [`Context::state`], or a query file or mart is wrong.
    pub fn ready(
        &self,
        default: PeriodSpec,
        content: Option<bool>,
        texts: impl FnOnce(&Registry) -> anyhow::Result<Vec<String>>,
    ) -> anyhow::Result<Ready> {
        let scope = self.scope(default)?;
        let registry = self.registry()?;
        let texts = texts(&registry)?;
        let State { store, manifest, refreshed, reading } = self.state(content)?;
        let wanted =
            if texts.is_empty() { Wanted::all() } else { Wanted::of(texts.iter().map(String::as_str), &registry) };
        let duck = open(&store, &manifest, &registry, &wanted)?;
        engine::scoped(&duck, &registry, &scope, &wanted)?;
        duck.lock()?;
        Ok(Ready { store, manifest, registry, duck, scope, refreshed, reading })
    }
}

/// A database with the store's tables and marts, which reads the state's own files and nothing else.
///
/// # Errors
/// DuckDB does not start, or a mart's SQL fails.
pub fn open(store: &Store, manifest: &Manifest, registry: &Registry, wanted: &Wanted) -> anyhow::Result<Duck> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let shop = Workshop { store, manifest, registry };
    marts::ensure(&shop, wanted)?;
    let duck = Duck::open(threads, &store.work().join(marts::FOLDER))?;
    let tables = manifest.files().map(|file| store.root().join(&file.path));
    duck.reach(&tables.chain(marts::files(store, manifest, registry)).collect::<Vec<_>>(), None)?;
    marts::show_all(&duck, &shop, wanted)?;
    engine::tables(&duck, store, manifest, registry, wanted, None)?;
    Ok(duck)
}
