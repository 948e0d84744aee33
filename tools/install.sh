#!/usr/bin/env bash
# install.sh NAME PACKAGE VERSION: has a Go tool of that version in bin/tools. Nothing is
# done, and nothing is fetched, when it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 package=$2 version=$3
bin=$PWD/bin/tools

have=$(go version -m "$bin/$name" 2>/dev/null | awk '$1 == "mod" { print $3 }' || true)
[ "$have" = "$version" ] && exit 0

echo "installing $name $version"
mkdir -p "$bin"
# -trimpath and no -buildvcs: the tool does not depend on where we stand.
GOBIN=$bin GOFLAGS=-buildvcs=false go install -trimpath "$package@$version"
