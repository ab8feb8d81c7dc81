//! `logicoma snapshot`: make, list, check, compare, thin out and go back to dated copies of the store.

mod diff;

use super::queries::texts;
use crate::cli::context::Context;
use crate::cli::globals::OutputArgs;
use crate::cli::{Usage, format};
use crate::engine::table::{Column, Data, Table, Unit};
use crate::error::SnapshotError;
use crate::store::snapshot::{Archive, Keep, Order, Verified};
use camino::Utf8PathBuf;

/// Options of `snapshot`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  logicoma snapshot create                         freeze the store as it is now
  logicoma snapshot create --to /mnt/team --source laptop
  logicoma snapshot verify                         recompute every checksum
  logicoma snapshot diff 2026-11-15T060000Z store  what has changed since
  logicoma report --store ~/.local/share/logicoma/store/snapshots/2026-11-15T060000Z --week 2026-W46

A snapshot is a folder of plain Parquet: `sha256sum -c SHA256SUMS` checks it, any engine reads it, and --store takes it.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Where snapshots are.
#[derive(Debug, clap::Args)]
struct Where {
    /// Folder of the snapshots; several machines may share it [default: STORE/snapshots]
    #[arg(long, value_name = "DIR")]
    to: Option<Utf8PathBuf>,
}

impl Where {
    fn archive(&self, context: &Context) -> anyhow::Result<Archive> {
        Ok(match &self.to {
            Some(folder) => Archive::at(&camino::absolute_utf8(folder)?),
            None => Archive::of(&context.store()?),
        })
    }

    /// An archive that is there already, if it is named.
    fn existing(&self, context: &Context) -> anyhow::Result<Archive> {
        match &self.to {
            Some(folder) if !folder.is_dir() => Err(SnapshotError::NoArchive { path: folder.clone() }.into()),
            _ => self.archive(context),
        }
    }
}

/// What to do with snapshots.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Refresh the store (unless --no-extract) and freeze it
    #[command(long_about = CREATE)]
    Create {
        /// Leave out what `extract --no-content` leaves out (see above)
        #[arg(long)]
        lean: bool,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// What there is
    List {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Recompute every checksum; names every file that is damaged, missing or does not belong
    Verify {
        /// One snapshot [default: all]
        name: Option<String>,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Rows, sessions, skills, cost and tokens that differ between two snapshots
    #[command(long_about = DIFF)]
    Diff {
        /// A snapshot, or `store` for the store as it is
        before: String,
        /// Another
        after: String,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Remove old snapshots; what the others need stays
    Prune {
        /// Keep the newest N (of each machine)
        #[arg(long, value_name = "N", required_unless_present = "keep_weekly")]
        keep_last: Option<usize>,
        /// Keep the newest of each of the last N weeks that have one (of each machine)
        #[arg(long, value_name = "N")]
        keep_weekly: Option<usize>,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make the store hold an old state again
    #[command(long_about = RESTORE)]
    Restore {
        /// The snapshot
        name: String,
        /// Give up a present state that is in no snapshot
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        output: OutputArgs,
    },
}

const CREATE: &str = "\
Refresh the store (unless --no-extract) and freeze it.

The snapshot holds copies of the store's files; those that an earlier snapshot has already are links to that one, so a weekly
snapshot costs what the week changed.

With --source NAME, the name of this machine is part of the snapshot's name: for archives that several machines share.

--lean leaves out the raw JSON, which is nearly all of the bytes: message.data, part.data, quarantine.data, telemetry.raw,
session.metadata, session.summary_diffs and session.revert (prompts, answers, tool inputs and outputs, the code that a revert
undoes), and the text of todos, as `extract --no-content` does. What metrics read stays: times,
models, tokens, cost, tool and skill names, paths, and the first characters of titles, commands and error texts.";

const DIFF: &str = "\
Rows, sessions, skills, cost and tokens that differ between two snapshots.

One row per thing, by `kind`: `table` (rows before and after; rows added, removed, changed), `total` (the columns of the metric
`overview`, over all time unless a period is given), `skill` (loads) and `session` (cost as recorded; rows of all tables). Tables and
totals are always listed, skills and sessions when they differ. A row that stands in two sources is one row, in its newest state.
--source, --db and --present-only hold for both sides. Between snapshots of two schema versions, rows differ only in what OpenCode
itself wrote; the rows of `signal`, which each version reads from parts in its own way, are not compared.";

const RESTORE: &str = "\
Make the store hold an old state again.

Every checksum of the snapshot is verified first. A verb that refreshes the store moves it on from there: to look at an old state
only, use --store with the snapshot's folder, or --no-extract.";

/// Runs the verb.
///
/// # Errors
/// No store, no such snapshot, or damage.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Action::Create { lean, place, output } => create(context, *lean, place, output),
        Action::List { place, output } => list(context, place, output),
        Action::Verify { name, place, output } => verify(context, name.as_deref(), place, output),
        Action::Diff { before, after, place, output } => {
            let table = diff::run(context, &place.existing(context)?, before, after)?;
            format::print(&context.printer, &table, output)
        }
        Action::Prune { keep_last, keep_weekly, dry_run, place, output } => {
            let keep =
                Keep { last: keep_last.unwrap_or(0), weekly: keep_weekly.unwrap_or(0), zone: context.zone.clone() };
            prune(context, &keep, *dry_run, place, output)
        }
        Action::Restore { name, force, place, output } => restore(context, name, *force, place, output),
    }
}

fn int(name: &str, unit: Unit, values: impl IntoIterator<Item = Option<u64>>) -> Column {
    let values = values.into_iter().map(|value| value.and_then(|value| i64::try_from(value).ok())).collect();
    Column { name: name.into(), unit, data: Data::Int(values) }
}

fn at(name: &str, values: Vec<Option<i64>>) -> Column {
    Column { name: name.into(), unit: Unit::At, data: Data::Int(values) }
}

fn flag(name: &str, values: Vec<Option<bool>>) -> Column {
    Column { name: name.into(), unit: Unit::Name, data: Data::Bool(values) }
}

fn create(context: &Context, lean: bool, place: &Where, output: &OutputArgs) -> anyhow::Result<()> {
    let archive = place.archive(context)?;
    let source = match context.globals.source.as_slice() {
        [] => None,
        [name] => Some(name.clone()),
        _ => return Err(Usage("a snapshot has one --source: the name of this machine".into()).into()),
    };
    let (store, _) = context.fresh(None)?;
    let _reading = store.reading();
    let _lock = store.lock(true, || tracing::warn!("another logicoma is working on this store: waiting for it"))?;
    let manifest = store.manifest()?;
    let order = Order { now: context.now.as_millisecond(), lean, source };
    let made = archive.create(&store, &manifest, &order)?;
    if let Some(same) = &made.same_as {
        let shared = if made.new_bytes == 0 { ": the new snapshot shares all of its files" } else { "" };
        context.printer.note(&format!("nothing has changed since {same}{shared}"));
    }
    if lean && !made.entry.is_lean {
        context.printer.note("the store keeps no raw JSON: --lean has nothing to leave out");
    }
    let entry = &made.entry;
    let table = Table {
        columns: vec![
            texts("name", vec![Some(entry.name.clone())]),
            texts("path", vec![Some(made.path.into_string())]),
            flag("is_lean", vec![Some(entry.is_lean)]),
            int("rows", Unit::Count, [Some(entry.rows)]),
            int("files", Unit::Count, [Some(entry.files)]),
            int("shared_files", Unit::Count, [Some(made.shared_files)]),
            int("bytes", Unit::Bytes, [Some(entry.bytes)]),
            int("new_bytes", Unit::Bytes, [Some(made.new_bytes)]),
            texts("same_as", vec![made.same_as]),
        ],
    };
    format::print(&context.printer, &table, output)
}

fn list(context: &Context, place: &Where, output: &OutputArgs) -> anyhow::Result<()> {
    let listed = place.existing(context)?.list()?;
    let manifest = |of: &dyn Fn(&crate::store::manifest::Manifest) -> Option<u64>| {
        listed.iter().map(|one| one.manifest.as_ref().ok().and_then(of)).collect::<Vec<_>>()
    };
    let entry = |of: &dyn Fn(&crate::store::manifest::SnapshotEntry) -> Option<i64>| {
        listed.iter().map(|one| one.entry().and_then(of)).collect::<Vec<_>>()
    };
    let text =
        |of: &dyn Fn(&crate::store::snapshot::Listed) -> Option<String>| listed.iter().map(of).collect::<Vec<_>>();
    let table = Table {
        columns: vec![
            texts("name", text(&|one| Some(one.name.clone()))),
            at("created_at", entry(&|entry| Some(entry.created_at))),
            texts("source", text(&|one| one.entry()?.source.clone())),
            at("first_at", entry(&|entry| entry.first_at)),
            at("last_at", entry(&|entry| entry.last_at)),
            int("sessions", Unit::Count, manifest(&|manifest| Some(manifest.rows("session")))),
            int("messages", Unit::Count, manifest(&|manifest| Some(manifest.rows("message")))),
            int("parts", Unit::Count, manifest(&|manifest| Some(manifest.rows("part")))),
            int("files", Unit::Count, manifest(&|manifest| Some(manifest.files().count() as u64))),
            int("bytes", Unit::Bytes, manifest(&|manifest| Some(manifest.files().map(|file| file.bytes).sum()))),
            flag("is_lean", listed.iter().map(|one| one.entry().map(|entry| entry.is_lean)).collect()),
            int("schema_version", Unit::Name, manifest(&|manifest| Some(manifest.schema_version.into()))),
            texts(
                "logicoma_version",
                text(&|one| one.manifest.as_ref().ok().map(|manifest| manifest.logicoma_version.clone())),
            ),
            texts(
                "databases",
                text(&|one| {
                    let manifest = one.manifest.as_ref().ok()?;
                    Some(manifest.sources.iter().map(|source| source.path.as_str()).collect::<Vec<_>>().join(", "))
                }),
            ),
            texts("problem", text(&|one| one.manifest.as_ref().err().map(ToString::to_string))),
        ],
    };
    format::print(&context.printer, &table, output)
}

fn status(verified: &Verified) -> &'static str {
    match (verified.problems.is_empty(), verified.is_newer) {
        (false, _) => "damaged",
        (true, true) => "newer",
        (true, false) => "ok",
    }
}

fn verify(context: &Context, name: Option<&str>, place: &Where, output: &OutputArgs) -> anyhow::Result<()> {
    let archive = place.existing(context)?;
    let verified = archive.verify(name)?;
    let bad_files = |one: &Verified| {
        let paths: Vec<&str> = one.problems.iter().map(|bad| bad.path.as_str()).collect();
        Some(paths.join(", ")).filter(|text| !text.is_empty())
    };
    let table = Table {
        columns: vec![
            texts("name", verified.iter().map(|one| Some(one.name.clone())).collect()),
            texts("status", verified.iter().map(|one| Some(status(one).to_owned())).collect()),
            int("files", Unit::Count, verified.iter().map(|one| Some(one.files))),
            int("rows", Unit::Count, verified.iter().map(|one| Some(one.rows))),
            int("bytes", Unit::Bytes, verified.iter().map(|one| Some(one.bytes))),
            int("problems", Unit::Count, verified.iter().map(|one| Some(one.problems.len() as u64))),
            texts("bad_files", verified.iter().map(bad_files).collect()),
        ],
    };
    if verified.is_empty() {
        context.printer.note(&format!("there are no snapshots in {}", archive.root()));
    }
    format::print(&context.printer, &table, output)?;
    let damaged: Vec<_> = verified.iter().filter(|one| !one.problems.is_empty()).collect();
    if damaged.is_empty() {
        let newer = verified.iter().filter(|one| one.is_newer);
        let snapshots: Vec<String> = newer.map(|one| one.name.clone()).collect();
        return if snapshots.is_empty() { Ok(()) } else { Err(SnapshotError::TooNew { snapshots }.into()) };
    }
    Err(SnapshotError::Damaged {
        snapshots: damaged.iter().map(|one| one.name.clone()).collect(),
        problems: damaged
            .iter()
            .flat_map(|one| one.problems.iter().map(|bad| format!("{}/{} {}", one.name, bad.path, bad.problem)))
            .collect(),
    }
    .into())
}

fn prune(context: &Context, keep: &Keep, dry: bool, place: &Where, output: &OutputArgs) -> anyhow::Result<()> {
    if keep.last == 0 && keep.weekly == 0 {
        return Err(Usage("keeping none is no pruning: --keep-last or --keep-weekly must be at least 1".into()).into());
    }
    let fates = place.existing(context)?.prune(keep, dry)?;
    let gone = if dry { "would go" } else { "removed" };
    let table = Table {
        columns: vec![
            texts("name", fates.iter().map(|fate| Some(fate.name.clone())).collect()),
            texts(
                "status",
                fates.iter().map(|fate| Some(if fate.kept_for.is_some() { "kept" } else { gone }.into())).collect(),
            ),
            texts("kept_for", fates.iter().map(|fate| fate.kept_for.clone()).collect()),
            int("freed_bytes", Unit::Bytes, fates.iter().map(|fate| Some(fate.freed_bytes))),
        ],
    };
    format::print(&context.printer, &table, output)
}

fn restore(context: &Context, name: &str, force: bool, place: &Where, output: &OutputArgs) -> anyhow::Result<()> {
    let store = context.store()?;
    let restored = place.existing(context)?.restore(&store, name, force)?;
    let table = Table {
        columns: vec![
            texts("name", vec![Some(name.to_owned())]),
            texts("store", vec![Some(store.root().to_string())]),
            int("rows", Unit::Count, [Some(restored.manifest.tables.values().map(|table| table.rows).sum())]),
            int("files", Unit::Count, [Some(restored.manifest.files().count() as u64)]),
            int("copied_files", Unit::Count, [Some(restored.copied_files)]),
        ],
    };
    format::print(&context.printer, &table, output)
}
