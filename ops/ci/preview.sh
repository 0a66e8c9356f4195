#!/usr/bin/env bash
# Previews stacks on the real clouds, with the policy packs, and reports what would happen.
#
# STACKS  names of the stacks, separated by spaces
# OUT     folder of the report (default: .cache/gate)
# LIMIT   most characters of the Markdown report (default: 65000)
# PLANS   folder to save each preview's plan in, for `pulumi up --plan`; none is saved without
#
# Exit codes: 0 nothing speaks against it, 1 something does, 2 a preview did not work.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${OUT:-.cache/gate}
mkdir -p "$out"
make --no-print-directory build policies

packs=()
for pack in isolation secrets durability hygiene; do
	packs+=(--policy-pack "$PWD/bin/policy-$pack")
done
read -ra names <<<"$STACKS"
reports=()
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for stack in "${names[@]}"; do
	plan=()
	if [ -n "${PLANS:-}" ]; then
		mkdir -p "$PLANS"
		plan=(--save-plan "$PLANS/$stack.json")
	fi
	echo "preview of $stack"
	# The preview of a refused change fails, and still says what it would have done.
	pulumi preview --stack "$stack" --non-interactive --json --show-sames "${packs[@]}" "${plan[@]}" >"$work/$stack.json" || failed=1
	if [ ! -s "$work/$stack.json" ]; then
		echo "the preview of $stack says nothing" >&2
		exit 2
	fi
	reports+=(--preview "$work/$stack.json" --stack "$stack")
done
code=0
bin/infra report "${reports[@]}" --limit "${LIMIT:-65000}" --out "$out/preview.md" || code=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -s "$out/preview.md" ]; then
	cat "$out/preview.md" >>"$GITHUB_STEP_SUMMARY"
fi
[ "$code" = 0 ] || exit "$code"
exit "$failed"
