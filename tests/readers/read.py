"""Other engines read the store: pyarrow, DuckDB (as a library and as its own program), polars and pandas agree with `logicoma query`
on every table.

usage: read.py LOGICOMA STORE_OR_SNAPSHOT…

For every table and every source in it: the Hive partitions are recognised as columns, the types are those of `logicoma schema`,
and rows, NULLs and sums of every column are the same in all engines. DuckDB's program and pandas are given the folder alone, without an
option. Files hold each source whole; `logicoma` unites sources, so
that over all of them a row that several hold counts once: what it counts is what the engines count by the row's key. Prints what
was compared; exits 1 at the first difference.
"""

import json
import pathlib
import subprocess
import sys

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.compute
import pyarrow.dataset

# What makes a row of several sources one row; a table without the column `source` holds what lies on disk: all of the row.
KEYS = {
    "session": "id",
    "message": "id",
    "part": "id",
    "project": "id",
    "todo": "(session_id, position)",
    "signal": "(part_id, position)",
    "quarantine": "(table_name, row_id)",
}
ARROW = {"varchar": {"string", "large_string"}, "bigint": {"int64"}, "double": {"double"}, "boolean": {"bool"}}
PANDAS = {"varchar": {"str"}, "bigint": {"int64", "float64"}, "double": {"float64"}, "boolean": {"bool", "object"}}
PROGRAM = pathlib.Path(sys.executable).with_name("duckdb")
compared = 0


def same(what, ours, theirs):
    """Compares a figure of another engine with ours."""
    global compared
    compared += 1
    close = ours == theirs
    if not close and isinstance(ours, float) and isinstance(theirs, float):
        close = abs(ours - theirs) <= 1e-9 * max(1.0, abs(ours))
    if not close:
        sys.exit(f"{what}: logicoma says {ours!r}, it is {theirs!r}")


def ask(program, store, sql, source=None):
    """Rows of a query as logicoma gives them, of one source or of all."""
    command = [program, "--store", str(store), "--no-extract", *(["--source", source] if source else [])]
    command += ["query", "-c", sql, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def describe(program, store, tables):
    """Columns of each table with their types, as logicoma's own views have them."""
    views = ", ".join(f"'raw_{table}'" for table in tables)
    sql = "select table_name as name, column_name as column, lower(data_type) as kind from information_schema.columns"
    found = {}
    for row in ask(program, store, f"{sql} where table_name in ({views}) order by table_name, ordinal_position"):
        found.setdefault(row["name"].removeprefix("raw_"), []).append((row["column"], row["kind"]))
    return found


def figures(columns):
    """SQL for rows, and for each column values that are there and a sum over them."""
    parts = ["count(*) as row_count"]
    for name, kind in columns:
        parts.append(f'count("{name}") as "n_{name}_n"')
        if kind == "varchar":
            parts.append(f'cast(coalesce(sum(length("{name}")), 0) as bigint) as "s_{name}_s"')
        elif kind == "boolean":
            parts.append(f'cast(coalesce(sum(cast("{name}" as integer)), 0) as bigint) as "s_{name}_s"')
        elif kind == "double":
            parts.append(f'coalesce(sum("{name}"), 0.0) as "s_{name}_s"')
        else:
            parts.append(f'cast(coalesce(sum(cast("{name}" as hugeint)), 0) as varchar) as "s_{name}_s"')
    return ", ".join(parts)


def by_program(folder, columns, partitions):
    """What DuckDB's own program says about a folder, by source; of a table that belongs to none, under None."""
    key = '"source"' if "source" in partitions else "null"
    types = ", ".join(f'any_value(typeof("{name}")) as "t_{name}_t"' for name in [*dict(columns), *partitions])
    sql = f"select {key} as key_of_rows, {types}, {figures(columns)} from '{folder}/**/*.parquet' group by all"
    ran = subprocess.run([PROGRAM, "-json", "-c", sql], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{folder.name}: DuckDB's program: {ran.stderr.strip()}")
    found = {row["key_of_rows"]: row for row in json.loads(ran.stdout)}
    for name, kind in [*columns, *((name, "varchar") for name in partitions)]:
        for row in found.values():
            same(f"{folder.name}.{name}: type in DuckDB's program", kind, row[f"t_{name}_t"].lower())
    return found


def pandas_figure(column, kind):
    """The same sum in pandas, whose integers are floats where a NULL is among them."""
    there = column.dropna()
    if kind == "varchar":
        return int(there.str.len().sum())
    if kind == "double":
        return float(there.sum())
    total = sum(int(value) for value in there)
    return total if kind == "boolean" else str(total)


def arrow_figure(column, kind):
    """The same sum in pyarrow."""
    if kind == "varchar":
        return pyarrow.compute.sum(pyarrow.compute.utf8_length(column)).as_py() or 0
    if kind == "boolean":
        return pyarrow.compute.sum(column).as_py() or 0
    if kind == "double":
        return float(pyarrow.compute.sum(column).as_py() or 0.0)
    return str(sum(value for value in column.to_pylist() if value is not None))


def levels(path):
    """The Hive partitions in a path: {'source': …, 'week': …}."""
    return dict(part.split("=", 1) for part in path.split("/")[1:-1])


def check_rows(what, columns, partitions, ours, arrow, frame, pandas_frame, duckdbs):
    """Holds rows, NULLs and sums of every column against all engines; gives the number of columns."""
    for engine, rows in (("pyarrow", arrow.num_rows), ("polars", frame.height), ("pandas", len(pandas_frame))):
        same(f"{what}: rows in {engine}", ours["row_count"], rows)
    for engine, theirs in duckdbs.items():
        same(f"{what}: rows in {engine}", ours["row_count"], theirs["row_count"])
    there = set(arrow.column_names)
    known = [(name, kind) for name, kind in columns if name in there]
    for name, kind in known:
        if name not in partitions and str(arrow.schema.field(name).type) not in ARROW[kind]:
            sys.exit(f"{what}.{name}: {kind} is {arrow.schema.field(name).type} in Parquet")
        count = ours[f"n_{name}_n"]
        same(f"{what}.{name}: values in pyarrow", count, arrow.num_rows - arrow.column(name).null_count)
        same(f"{what}.{name}: values in polars", count, frame.height - frame[name].null_count())
        same(f"{what}.{name}: values in pandas", count, int(pandas_frame[name].notna().sum()))
        total = ours[f"s_{name}_s"]
        for engine, theirs in duckdbs.items():
            same(f"{what}.{name}: values in {engine}", count, theirs[f"n_{name}_n"])
            same(f"{what}.{name}: sum in {engine}", total, theirs[f"s_{name}_s"])
        if name not in partitions:
            if str(pandas_frame[name].dtype) not in PANDAS[kind]:
                sys.exit(f"{what}.{name}: {kind} is {pandas_frame[name].dtype} in pandas")
            same(f"{what}.{name}: sum in pandas", total, pandas_figure(pandas_frame[name], kind))
            same(f"{what}.{name}: sum in pyarrow", total, arrow_figure(arrow.column(name), kind))
            series = frame[name]
            if kind == "varchar":
                same(f"{what}.{name}: sum in polars", total, int(series.str.len_chars().sum() or 0))
            elif kind == "double":
                same(f"{what}.{name}: sum in polars", total, float(series.sum() or 0.0))
    missing = [name for name, _ in columns if name not in there and ours[f"n_{name}_n"] > 0]
    if missing:
        sys.exit(f"{what}: columns {missing} are not in the Parquet files")
    return len(known)


def by_source(files):
    """The manifest's files of each source; what belongs to none (telemetry) under None."""
    found = {}
    for file in files:
        level = levels(file["path"])
        found.setdefault(None if level["week"] == "telemetry" else level.get("source"), []).append(file)
    return found


def check(program, store):
    """Holds one store against all engines."""
    store = pathlib.Path(store)
    manifest = {}
    for path in sorted(store.glob("manifest*.json")):
        for table, entry in json.loads(path.read_text())["tables"].items():
            known = manifest.setdefault(table, [])
            known.extend(file for file in entry["files"] if file not in known)
    # Each question makes a snapshot's views anew, so that what can be asked of all tables is asked once.
    tables = [table for table, files in sorted(manifest.items()) if files]
    described = describe(program, store, tables)
    united = ask(program, store, "select " + ", ".join(f"(select count(*) from raw_{table}) as n_{table}" for table in tables))[0]
    for table in tables:
        files, folder, columns = manifest[table], store / table, described[table]
        partitions = list(levels(files[0]["path"]))
        assert partitions[-1] == "week" and all(list(levels(file["path"])) == partitions for file in files), files
        hive = pyarrow.dataset.partitioning(pyarrow.schema([(name, pyarrow.string()) for name in partitions]), flavor="hive")
        arrow = pyarrow.dataset.dataset(folder, format="parquet", partitioning=hive).to_table()
        frame = polars.scan_parquet(folder, hive_partitioning=True).collect()
        read = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"
        pandas_frame = pandas.read_parquet(folder)
        same(f"{table}: rows in the manifest", sum(file["rows"] for file in files), arrow.num_rows)
        for name in partitions:
            values = sorted({levels(file["path"])[name] for file in files})
            same(f"{table}: partitions in pyarrow", values, sorted(set(arrow.column(name).to_pylist())))
            same(f"{table}: partitions in polars", values, sorted(frame[name].cast(polars.String).unique().to_list()))
            same(f"{table}: partitions in pandas", values, sorted(pandas_frame[name].astype(str).unique()))
            rows = duckdb.sql(f'select distinct cast("{name}" as varchar) from {read} order by 1').fetchall()
            same(f"{table}: partitions in DuckDB", values, [row[0] for row in rows])
        there = [(name, kind) for name, kind in columns if name in set(arrow.column_names)]
        printed = by_program(folder, there, partitions)
        same(f"{table}: sources in DuckDB's program", {levels(file["path"]).get("source") for file in files}, set(printed))
        sources = by_source(files)
        for source, own in sources.items():
            if source is None and "source" in partitions:
                continue  # bad lines of telemetry: logicoma names the file as their source
            where = "" if source is None else f" where source = '{source}'"
            ours = ask(program, store, f"select {figures(columns)} from raw_{table}{where if ('source', 'varchar') in columns else ''}", source)[0]
            same(f"{table}: rows of {source} in the manifest", sum(file["rows"] for file in own), ours["row_count"])
            part = arrow if source is None else arrow.filter(pyarrow.compute.equal(arrow["source"], source))
            polars_part = frame if source is None else frame.filter(polars.col("source") == source)
            pandas_part = pandas_frame if source is None else pandas_frame[pandas_frame["source"].astype(str) == source]
            result = duckdb.sql(f"select {figures(there)} from {read}{where}")
            by_duckdb = dict(zip([column[0] for column in result.description], result.fetchall()[0]))
            duckdbs = {"DuckDB": by_duckdb, "DuckDB's program": printed[source]}
            check_rows(f"{table} of {source}", columns, partitions, ours, part, polars_part, pandas_part, duckdbs)
        all_rows = united[f"n_{table}"]
        if ("source", "varchar") in columns or source is None:
            key = f"distinct {KEYS[table]}" if table in KEYS else "*"
            counted = duckdb.sql(f"select count({key}) from {read}").fetchall()[0][0]
        else:
            names = ", ".join(f'"{name}"' for name, _ in there)
            counted = duckdb.sql(f"select count(*) from (select distinct {names} from {read})").fetchall()[0][0]
        same(f"{table}: rows of all sources together", all_rows, counted)
        print(f"{store.name}  {table}: {arrow.num_rows} rows ({all_rows} united), {len(there)} columns, {len(files)} files, partitions {partitions}")


if len(sys.argv) < 3:
    sys.exit(__doc__)
for folder in sys.argv[2:]:
    check(sys.argv[1], folder)
versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (pyarrow, duckdb, polars, pandas))
program = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout.split()[0]
print(f"{compared} figures agree in {versions}, DuckDB's program {program}")
