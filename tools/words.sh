#!/bin/sh
# The repository must not name a person's machine or a package registry's host.
set -eu
cd "$(dirname "$0")/.."
# /home/morphee is the deploy user's folder on the servers that the project sets up.
if git grep -nIE '(^|[^A-Za-z0-9_.])/(home|work|Users)/[A-Za-z0-9]' -- ':!*.sum' ':!tools/words.sh' ':!tests/docs_test.go' ':!LICENSE' |
	grep -v '/home/morphee'; then
	echo "a path of somebody's machine stands in the repository" >&2
	exit 1
fi
