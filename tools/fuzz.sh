#!/usr/bin/env bash
# Runs every fuzz target of the repository for FUZZTIME (default 10s), six at a time. It
# finds them itself. What a failing one found is left in its testdata/fuzz: commit it.
#
# The test programs are built first: builds at the same time do not share what they compile,
# and all of it is compiled anew for fuzzing.
set -euo pipefail
cd "$(dirname "$0")/.."
export time=${FUZZTIME:-10s}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
cache=$(go env GOCACHE)/fuzz
export logs cache

# One line a target: folder and name.
targets=$(grep -rhoE --include='*_test.go' -H '^func Fuzz[A-Za-z0-9_]*\(' internal cmd 2>/dev/null |
	sed -E 's|/[^/]*_test\.go:func (Fuzz[A-Za-z0-9_]*)\(| \1|' | sort -u || true)
if [ -z "$targets" ]; then
	echo "no fuzz targets"
	exit 0
fi

program() { echo "$logs/$(tr / _ <<<"$1").test"; }

one() {
	local dir=$1 name=$2 log bin
	bin=$(program "$dir")
	log=$bin.$name
	# Little time for making inputs smaller: it would take that of looking for new ones.
	fuzz() {
		(cd "$dir" && "$bin" -test.run='^$' -test.fuzz="^$name\$" -test.fuzztime="$time" -test.fuzzminimizetime=50x \
			-test.parallel=1 -test.fuzzcachedir="$cache/vidimus/$dir" -test.timeout=10m) >"$log" 2>&1
	}
	# The engine sometimes calls its own stop at the end of the time a failure; then no
	# input was found, and a second run tells.
	if fuzz || { grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log" && fuzz; }; then
		echo "ok  	vidimus/$dir $name	$(grep -oE 'execs: [0-9]+' "$log" | tail -1)"
	else
		echo "FAIL	vidimus/$dir $name"
		cat "$log"
		return 1
	fi
}
export -f one program

build() { go test -c -vet=off -tags=fuzz -fuzz=Fuzz -o "$(program "$1")" "./$1"; }
export -f build
folders=$(cut -d' ' -f1 <<<"$targets" | uniq)
# The first one by itself: it compiles what most of them share.
build "$(head -1 <<<"$folders")"
tail -n +2 <<<"$folders" | xargs -P 2 -I '{}' bash -c 'build "$1"' build '{}'

# shellcheck disable=SC2086
xargs -P 6 -n 2 bash -c 'one "$@"' one <<<"$targets"
