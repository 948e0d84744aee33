#!/usr/bin/env bash
# Says plainly what is missing before anything can be built. Go fetches everything else
# itself, through the package proxy of its environment.
set -euo pipefail
cd "$(dirname "$0")/.."
want=$(awk '$1 == "go" { print $2 }' go.mod)
if ! command -v go >/dev/null; then
	echo "missing: Go $want or newer, see https://go.dev/doc/install" >&2
	exit 1
fi
# A Go before 1.21 cannot fetch the toolchain that go.mod asks for.
have=$(go env GOVERSION)
have=${have#go}
if ! printf '1.21\n%s\n' "$have" | sort -VC; then
	echo "missing: Go $want or newer; $(command -v go) is $have" >&2
	exit 1
fi
