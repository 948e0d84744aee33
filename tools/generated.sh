#!/usr/bin/env bash
# Says whether the Go code of the SQL statements is what sqlc would make of them now,
# without sqlc: by a hash over its inputs.
#
#	generated.sh check    fails when they changed since the code was generated
#	generated.sh write    remembers them; `make generate` does this
set -euo pipefail
cd "$(dirname "$0")/.."
store=internal/store
mark=$store/rows/INPUTS.sha256

[ -d $store/query ] || exit 0

# Names count as well as contents, in an order that no locale changes.
sum() {
	(
		export LC_ALL=C
		cd "$store"
		for f in query/*.sql migration/*.sql sqlc.yaml; do sha256sum "$f"; done | sha256sum | cut -d' ' -f1
	)
}

case "${1:-}" in
check)
	if [ "$(sum)" != "$(cat $mark 2>/dev/null)" ]; then
		echo "$store/rows is older than the statements: run make generate, and commit what it writes" >&2
		exit 1
	fi
	;;
write) sum >$mark ;;
*)
	echo "usage: generated.sh check | write" >&2
	exit 2
	;;
esac
