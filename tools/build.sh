#!/bin/sh
# Builds bin/infra and says meanwhile what is being built: the first build compiles the providers'
# SDKs and Pulumi's engine, which takes minutes, and a silent terminal looks like a broken one.
set -eu
cd "$(dirname "$0")/.."
mkdir -p bin

missing=0
go list -deps ./cmd/infra >/dev/null 2>&1 || missing=1
if [ "$missing" = 1 ]; then
	echo "fetching Go modules (once)…"
	go mod download
fi

# What the build cache lacks is what has to be compiled.
stale=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' ./cmd/infra | grep -c . || true)
if [ "$stale" -gt 100 ]; then
	echo "building bin/infra: $stale packages have to be compiled, among them the SDKs of the AWS, Docker,"
	echo "Hetzner and Cloudflare providers and Pulumi's engine. On 2 cores this takes 4 to 6 minutes, once:"
	echo "Go keeps the result, and later builds take seconds."
else
	echo "building bin/infra…"
fi

status=$(mktemp)
trap 'rm -f "$status"' EXIT
# Without debug information linking takes a quarter less, and the program is a third smaller; a panic
# still names its lines.
{
	code=0
	go build -v -ldflags=-s -o bin/infra.new ./cmd/infra 2>&1 || code=$?
	echo "$code" >"$status"
} | awk -v total="$stale" '
	# A package name is progress; anything else is an error of the compiler, shown as it is.
	/^[a-z0-9.-]+(\/[^ :]+)*$/ {
		done++
		if (total > 100 && (done % 25 == 0 || /sdk\/v[0-9]+\/go\/[a-z]+$|pulumi-.*\/go\/|pkg\/v3\/engine$/)) {
			printf "  %d of %d: %s\n", done, total, $0
			fflush()
		}
		next
	}
	{ print; fflush() }'
[ "$(cat "$status")" = 0 ] || exit 1
mv bin/infra.new bin/infra
