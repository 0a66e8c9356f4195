#!/usr/bin/env bash
# The offline job of the pull-request gate: what needs neither an account nor a secret. The workflow runs
# these steps, and so does everybody else:
#
#   ops/ci/pull-request.sh lint      formatting, vet, linters, generated files
#   ops/ci/pull-request.sh test      the tests
#   ops/ci/pull-request.sh report    every stack compared with BASE on the flight simulator
#
# BASE   revision to compare with (default: main)
# OUT    folder of the report (default: .cache/gate)
# LIMIT  most characters of the Markdown report (default: 65000)
# TESTS  packages to test instead of all
#
# Exit codes of report: 0 the change passes, 1 it does not, 2 it could not be compared.
set -euo pipefail
cd "$(dirname "$0")/../.."

lint() { make --no-print-directory lint; }

run_tests() {
	if [ -n "${TESTS:-}" ]; then
		# Several packages, separated by spaces.
		read -ra packages <<<"$TESTS"
		go test -timeout 15m "${packages[@]}"
	else
		make --no-print-directory test
	fi
}

report() {
	local base=${BASE:-main} out=${OUT:-.cache/gate} code=0
	mkdir -p "$out"
	rm -f "$out"/report.{md,html,json}
	make --no-print-directory build
	bin/infra report --base "$base" --all --limit "${LIMIT:-65000}" \
		--out "$out/report.md" --out "$out/report.html" --out "$out/report.json" 2> >(tee "$out/report.log" >&2) || code=$?
	if [ ! -s "$out/report.md" ]; then
		# A report that is missing must not look like one that has nothing to say.
		{
			echo '<!-- morphee-infra-report -->'
			echo '## Infrastructure change'
			echo
			echo '❌ **The change could not be compared with its base.** The log of the job says why.'
		} >"$out/report.md"
		[ "$code" != 0 ] || code=2
	fi
	if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
		cat "$out/report.md" >>"$GITHUB_STEP_SUMMARY"
	fi
	echo "the report is in $out"
	return "$code"
}

case "${1:-all}" in
lint) lint ;;
test) run_tests ;;
report) report ;;
all)
	lint
	run_tests
	report
	;;
*)
	echo "usage: $0 [lint|test|report|all]" >&2
	exit 2
	;;
esac
