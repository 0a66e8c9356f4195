#!/bin/sh
# Checks every shell script of the repository.
set -eu
cd "$(dirname "$0")/.."
if ! command -v shellcheck >/dev/null; then
	[ "$(id -u)" = 0 ] || { echo "shellcheck is missing: apt-get install shellcheck" >&2; exit 1; }
	echo "installing shellcheck"
	apt-get install -y -qq shellcheck >/dev/null 2>&1 || { apt-get update -qq >/dev/null && apt-get install -y -qq shellcheck >/dev/null; }
fi
git ls-files -z | xargs -0 grep -lIE '^#!(/usr/bin/env |/bin/)(ba|da)?sh' -- | xargs shellcheck
