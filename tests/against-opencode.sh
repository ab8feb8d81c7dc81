#!/usr/bin/env bash
# The real program against ours: `opencode stats` and `logicoma stats --as-opencode`, byte for byte, on copies of generated
# databases; and refreshes beside the program at work (alive-opencode.py; REFRESHES=200 for a whole run, which takes five
# minutes). Needs npm (which brings opencode-ai 1.18.33) and the programs `logicoma` and `generate`; says so and passes where
# npm does not bring it. Usage: tests/against-opencode.sh [FOLDER OF BINARIES]
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/logicoma/target}
bin=${1:-$target/release}
version=1.18.33
tools=${XDG_CACHE_HOME:-$HOME/.cache}/logicoma/opencode-$version
program=$tools/node_modules/opencode-linux-x64/bin/opencode
if [ ! -x "$program" ]; then
  command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 0; }
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-audit --no-fund --ignore-scripts --silent "opencode-ai@$version" >/dev/null 2>&1 || true
fi
[ -x "$program" ] || { echo "skipped: npm does not bring opencode-ai $version for this machine"; exit 0; }
generate=$bin/generate
[ -x "$generate" ] || generate=$bin/examples/generate
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The clock of both: pinned where faketime is installed; else the database ends now, so that seconds more change nothing.
now=2026-11-22T12:00:00Z pin=(faketime -f "2026-11-22 12:00:00")
command -v faketime >/dev/null || { now=$(date -u +%Y-%m-%dT%H:%M:%SZ) pin=(env); }

passed=0
compare() { # database zone args…
  local db=$1 zone=$2
  shift 2
  # The program leaves a write-ahead log; one that belongs to another database's copy would spoil this one.
  rm -f "$work"/theirs.db*
  cp "$db" "$work/theirs.db"
  mkdir -p "$work/home"
  (cd "$work/home" && env -i PATH="$PATH" HOME="$work/home" TZ="$zone" OPENCODE_DB="$work/theirs.db" OPENCODE_DISABLE_AUTOUPDATE=1 \
    OPENCODE_DISABLE_MODELS_FETCH=1 OPENCODE_DISABLE_DEFAULT_PLUGINS=1 "${pin[@]}" "$program" stats "$@" >"$work/theirs" 2>"$work/errors") || {
    echo "opencode stats $* failed on $(basename "$db"):"
    tail -n 20 "$work/errors"
    exit 1
  }
  (cd "$work/home" && "$bin/logicoma" --db "$db" --store "$work/store-$(basename "$db")" --timezone "$zone" --now "$now" --quiet \
    stats --as-opencode "$@" >"$work/ours")
  if ! cmp -s "$work/theirs" "$work/ours"; then
    echo "not the same: $(basename "$db") TZ=$zone opencode stats $*"
    diff "$work/theirs" "$work/ours" | head -n 20
    exit 1
  fi
  passed=$((passed + 1))
}

for seed in 1 2; do
  "$generate" --preset tiny --clean --no-wal --seed "$seed" --now "$now" --out "$work/seed-$seed.db" >/dev/null
done
# The program brings an old database up to date before it counts; we count it as it is.
"$generate" --preset tiny --clean --no-wal --seed 3 --schema v1-1.2.27 --now "$now" --out "$work/seed-3.db" >/dev/null
db=$work/seed-1.db
project=$(sqlite3 "$db" "select id from project where id <> 'global' order by id limit 1" 2>/dev/null || echo global)
compare "$db" UTC
compare "$db" Europe/Berlin --days 7 --models
compare "$db" America/New_York --days 0 --tools
compare "$db" UTC --tools 3 --models 2
compare "$db" Asia/Kolkata --project "$project" --days 20 --models --tools
compare "$db" UTC --project nobody
compare "$work/seed-2.db" Pacific/Auckland --models --tools
compare "$work/seed-3.db" Asia/Kathmandu --models --tools
compare "$work/seed-3.db" America/St_Johns --days 9 --models 3 --tools 5
echo "$passed outputs of opencode $version: the same, byte for byte"
command -v python3 >/dev/null || { echo "skipped: refreshes beside the program need python3"; exit 0; }
python3 tests/alive-opencode.py "$program" "$bin/logicoma" "${REFRESHES:-50}"
