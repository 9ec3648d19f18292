#!/usr/bin/env bash
# Instructions per record, counted by callgrind: the difference of two runs, so that start and first touch cancel.
# The figures include the loop that feeds the values. Everything is counted twice and must repeat to the digit, so
# that it may gate a change. Exits with 1 if plimsoll's record takes more than the limit, with 2 if it cannot judge.
#   benches/callgrind.sh [limit]     38 by default
set -euo pipefail
limit=${1:-38}
package=$(cd "$(dirname "$0")/peers" && pwd)
command -v valgrind >/dev/null || { echo "callgrind is missing: apt-get install valgrind" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-$package/../../target}
cargo build -q --release --manifest-path "$package/Cargo.toml" --target-dir "$target" --bin instructions
binary=$target/release/instructions
few=65536 many=131072

# Instructions inside `measured`, of contender $1 with $2 records.
count() {
  local log
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=measured "$binary" "$1" "$2" 2>&1) ||
    { echo "$log" >&2; return 2; }
  sed -n 's/.*Collected : *//p' <<<"$log"
}

# Instructions per record of contender $1.
each() {
  local first second
  first=$(count "$1" "$few")
  second=$(count "$1" "$many")
  [ "$second" -gt "$first" ] || { echo "callgrind counted nothing" >&2; return 2; }
  awk "BEGIN { printf \"%.2f\", ($second - $first) / ($many - $few) }"
}

printf '| contender | instructions per record |\n|---|---:|\n'
number=0 ours=
while read -r name; do
  figure=$(each "$number")
  again=$(each "$number")
  [ "$figure" = "$again" ] || { echo "$name: $figure, then $again" >&2; exit 2; }
  printf '| %s | %s |\n' "$name" "$figure"
  ours=${ours:-$figure}
  number=$((number + 1))
done < <("$binary")
printf '\nA second count gave the same figures.\n'

if awk "BEGIN { exit !($ours <= $limit) }"; then verdict=met; else verdict='**missed**'; fi
printf '\n| target | limit | measured | |\n|---|---:|---:|---|\n'
printf '| instructions per record, 11 bounds | ≤ %s | %s | %s |\n' "$limit" "$ours" "$verdict"
[ "$verdict" = met ]
