#!/usr/bin/env bash
# Compares a stack's state with the clouds, and opens, updates or closes the issue about what differs.
# The issue names resources and never values, which may be secret.
#
# STACK    name of the stack
# RUN_URL  where the log is
# GH_REPO  repository, owner/name
set -euo pipefail
cd "$(dirname "$0")/../.."
title="Drift: stack $STACK differs from its state"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

code=0
pulumi refresh --preview-only --stack "$STACK" --non-interactive --expect-no-changes --json >"$work/refresh.json" 2>"$work/refresh.log" || code=$?
# With --json the document lists what differs; without it something else went wrong, which must not
# look like a stack without drift.
if ! jq -r '.steps[]? | select(.op != "same" and .op != "read" and .op != "refresh") | "\(.op) \(.urn | split("::") | .[2:] | join("::"))"' \
	"$work/refresh.json" | sort >"$work/list"; then
	: >"$work/list"
	[ "$code" != 0 ] || code=1
fi
issue=$(gh issue list --repo "$GH_REPO" --state open --label drift --limit 200 --json number,title |
	jq -r --arg title "$title" '[.[] | select(.title == $title)][0].number // empty')

if [ "$code" = 0 ] && [ ! -s "$work/list" ]; then
	echo "stack $STACK is as its state says"
	if [ -n "$issue" ]; then
		gh issue close "$issue" --repo "$GH_REPO" --comment "Stack $STACK is as its state says again: $RUN_URL"
	fi
	exit 0
fi
{
	if [ -s "$work/list" ]; then
		echo "These resources of stack \`$STACK\` are not as the state says:"
		echo
		echo '```'
		head -n 200 "$work/list"
		echo '```'
		lines=$(wc -l <"$work/list")
		[ "$lines" -le 200 ] || echo "… and $((lines - 200)) more."
		echo
		echo "Either take the change over into the program and run \`pulumi refresh\`, or run \`pulumi up\` to undo it."
	else
		cat "$work/refresh.log" >&2
		echo "Stack \`$STACK\` could not be compared with the clouds."
	fi
	echo
	echo "Log: $RUN_URL"
} >"$work/body"
gh label create drift --repo "$GH_REPO" --color D93F0B --description "What is deployed differs from the state" 2>/dev/null || true
if [ -n "$issue" ]; then
	gh issue edit "$issue" --repo "$GH_REPO" --body-file "$work/body"
else
	gh issue create --repo "$GH_REPO" --title "$title" --label drift --body-file "$work/body"
fi
# Only resources are named: the log of the command itself may quote values.
cat "$work/list"
exit 1
