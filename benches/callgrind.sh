#!/usr/bin/env bash
# Instructions per record and per request, counted by callgrind: the difference of two runs, so that start and first touch
# cancel. The figures of records include the loop that feeds the values; those of requests are what a layer adds to the
# bare router. Everything is counted until two counts agree, records to the digit and requests within 10 instructions (where
# the allocator puts things differs a little), so that it may gate a change.
# Exits with 1 if plimsoll takes more than a limit, with 2 if it cannot judge.
#   benches/callgrind.sh [record limit] [request limit]     38 and 1650 by default
set -euo pipefail
limit_record=${1:-38} limit_layer=${2:-1650}
package=$(cd "$(dirname "$0")/peers" && pwd)
command -v valgrind >/dev/null || { echo "callgrind is missing: apt-get install valgrind" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-$package/../../target}
cargo build -q --release --manifest-path "$package/Cargo.toml" --target-dir "$target" --bin instructions
binary=$target/release/instructions

# Instructions inside `measured`, of contender $2 of question $1, $3 times.
count() {
  local log
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=measured "$binary" "$@" 2>&1) ||
    { echo "$log" >&2; return 2; }
  sed -n 's/.*Collected : *//p' <<<"$log"
}

# Instructions each of contender $2 of question $1, from $3 and twice as many.
each() {
  local first second
  first=$(count "$1" "$2" "$3")
  second=$(count "$1" "$2" $(($3 * 2)))
  [ "$second" -gt "$first" ] || { echo "callgrind counted nothing" >&2; return 2; }
  awk "BEGIN { printf \"%.2f\", ($second - $first) / $3 }"
}

# The same with $4 decimals, as soon as two counts in a row are within $5 instructions of each other.
agreed() {
  local figure again try
  figure=$(each "$@")
  for try in $(seq 5); do
    again=$(each "$@")
    awk "BEGIN { exit !(($figure - $again) ^ 2 <= $5 ^ 2) }" && { printf "%.$4f" "$figure"; return; }
    figure=$again
  done
  echo "$1 $2: no two counts in a row agree, the last is $figure" >&2
  return 2
}

printf '| contender | instructions per record |\n|---|---:|\n'
number=0 record=
while read -r name; do
  figure=$(agreed record "$number" 65536 2 0)
  printf '| %s | %s |\n' "$name" "$figure"
  record=${record:-$figure}
  number=$((number + 1))
done < <("$binary" record)

printf '\n| layer | instructions per request, beyond the bare router |\n|---|---:|\n'
number=0 bare= layers=()
while read -r name; do
  figure=$(agreed layer "$number" 2000 0 10)
  bare=${bare:-$figure}
  printf '| %s | %s |\n' "$name" "$((figure - bare))"
  case $name in plimsoll*) layers+=("$name=$((figure - bare))") ;; esac
  number=$((number + 1))
done < <("$binary" layer)
printf '\nTwo counts in a row agree. The bare router takes %s.\n' "$bare"

missed=0
# Whether $2, called $1, is at most $3.
judge() {
  local verdict=met
  awk "BEGIN { exit !($2 <= $3) }" || { verdict='**missed**' missed=1; }
  printf '| %s | ≤ %s | %s | %s |\n' "$1" "$3" "$2" "$verdict"
}
printf '\n| target | limit | measured | |\n|---|---:|---:|---|\n'
judge "instructions per record, 11 bounds" "$record" "$limit_record"
for layer in "${layers[@]}"; do
  judge "${layer%=*}, instructions per request" "${layer##*=}" "$limit_layer"
done
exit "$missed"
