#!/bin/sh
# Validates what we sign with validators that are not ours: the EU's Digital Signature Service
# and pyHanko, without a network. First they have to find out forgeries of a throw-away PKI;
# then they judge what our signer makes of pages of our own and of the PDFs that are named, and
# our own validator has to come to the same. Everything goes to bin/dss; the registries of Maven and Python are asked only for what is not there yet.
set -eu
cd "$(dirname "$0")/../.."
here=test/dss
out=$PWD/bin/dss
for tool in java mvn python3 go; do
	command -v "$tool" >/dev/null || { echo "make verify-dss needs $tool" >&2; exit 1; }
done
mkdir -p "$out"

mvn -q -B -f "$here/pom.xml" -DbuildDirectory="$out/java" package
if ! cmp -s "$here/requirements.txt" "$out/python/requirements.txt"; then
	rm -rf "$out/python"
	python3 -m venv "$out/python"
	"$out/python/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
	cp "$here/requirements.txt" "$out/python/requirements.txt"
fi

rm -rf "$out/self"
"$out/python/bin/python" "$here/selftest.py" "$out/self"
"$out/python/bin/python" "$here/check.py" --java "$out/java" "$out/self/manifest.json"
echo
rm -rf "$out/made"
go run "./$here/make" "$out/made" "$@"
go build -o "$out/vidimus" ./cmd/vidimus
"$out/python/bin/python" "$here/check.py" --java "$out/java" --vidimus "$out/vidimus" "$out/made/manifest.json"
