#!/bin/sh
# Makes the pictures of docs/esign.md anew: the built server has the test robots sign small
# contracts, and poppler renders what came of them. Needs curl, python3 and pdftoppm.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/bin/vidimus here=$PWD/test/pictures out=$PWD/docs/esign
[ -x "$program" ] || { echo "build it first: make build" >&2; exit 1; }
work=$(mktemp -d)
port=${PORT:-18180}
base=http://127.0.0.1:$port/api/v1/ihrebank

"$program" serve --demo --speedup 60 --data "$work/data" --http "127.0.0.1:$port" --sftp "127.0.0.1:$((port + 1))" >"$work/log" 2>&1 &
server=$!
trap 'kill $server; wait $server; rm -rf "$work"' EXIT
until curl -s "http://127.0.0.1:$port/system_check" >"$work/answer"; do sleep 0.1; done

token=$(curl -sf -H "Content-Type: application/json" -d '{"apiKey": "exampleApiKey"}' "$base/login" | cut -d '"' -f 4)
send() { curl -sSf -H "X-API-LOGIN-TOKEN: $token" "$@" >>"$work/answers"; }

# define NAME SIGNATURE: a document with one signature.
define() {
	send -H "Content-Type: application/json" -d '{"identifier": "'"$1"'", "name": "'"$1"'", "mimeType": "application/pdf", "signatures": {"customer": '"$2"'}}' "$base/documentdefinitions"
}
define field '{"position": {"acrofield": "Customer", "left": 0, "bottom": 0, "width": 250, "height": 35}}'
define text '{"position": {"textcontent": "Signature of the customer", "left": 0, "bottom": 18, "width": 250, "height": 35}}'
define turned '{"position": {"page": 1, "left": 532, "bottom": 60, "width": 250, "height": 35}}'
define hand '{"type": "HANDWRITTEN", "position": {"textcontent": "Signature of the customer", "left": 0, "bottom": 12, "width": 160, "height": 45}}'

python3 "$here/pdf.py" "$out/contract.pdf"
python3 "$here/pdf.py" "$work/field.pdf" field
python3 "$here/pdf.py" "$work/turned.pdf" turned
cp "$out/contract.pdf" "$work/text.pdf"
cp "$out/contract.pdf" "$work/hand.pdf"

send -H "Content-Type: application/json" -d '{"firstname": "Erika", "lastname": "Mustermann", "custom1": "X-AUTOTEST-HAPPYPATH"}' "$base/identifications/1/start"
for name in field text turned hand; do
	send -H "Content-Type: application/pdf" --data-binary "@$work/$name.pdf" "$base/identifications/1/documents/$name/data"
done
send -H "Content-Type: application/json" -d '{}' "$base/identifications/1/requestVideoChat"
until curl -sSf -H "X-API-LOGIN-TOKEN: $token" "$base/identifications/1/status" | grep -q '"state":"SUCCESS"'; do sleep 0.2; done
for name in field text turned hand; do
	curl -sSf -H "X-API-LOGIN-TOKEN: $token" -o "$work/$name.pdf" "$base/identifications/1/documents/$name/signed"
	pdftoppm -png -r 72 -singlefile "$work/$name.pdf" "$out/$name"
done
