#!/usr/bin/env bash
# Posts the reports of a pull request as its one comment, or brings that up to date.
#
# It runs with the right to write comments, on files that came from the pull request: they are data, of a
# limited size, and nothing in them is run. Which pull request it is comes from GitHub, never from them.
#
# GH_REPO      repository, owner/name
# HEAD_OWNER   owner of the repository that the pull request comes from
# HEAD_BRANCH  its branch
# HEAD_SHA     the commit that was checked
# REPORTS      folder with the reports: *.md, posted in the order of their names
set -euo pipefail
marker='<!-- morphee-infra-report -->'
limit=65536

number=$(gh api --method GET "repos/$GH_REPO/pulls" -f state=open -f head="$HEAD_OWNER:$HEAD_BRANCH" --jq "[.[] | select(.head.sha == env.HEAD_SHA)][0].number // empty")
if [ -z "$number" ]; then
	echo "no open pull request has $HEAD_SHA as its last commit: nothing to comment on"
	exit 0
fi

body=$(mktemp)
trap 'rm -f "$body"' EXIT
echo "$marker" >"$body"
shopt -s nullglob
for file in "$REPORTS"/*.md; do
	if [ ! -f "$file" ] || [ -L "$file" ]; then
		continue
	fi
	# Its own marker is not wanted twice.
	part=$(head -c "$limit" "$file" | grep -vxF "$marker" || true)
	if [ $(($(wc -c <"$body") + $(printf '%s' "$part" | wc -c) + 200)) -gt "$limit" ]; then
		printf '\n_A further report is too long for a comment; it is in the artifacts of the run._\n' >>"$body"
		continue
	fi
	printf '%s\n' "$part" >>"$body"
done
if [ "$(wc -l <"$body")" -le 1 ]; then
	echo "there is no report" >&2
	exit 1
fi
printf '\n<sub>For commit %s</sub>\n' "$HEAD_SHA" >>"$body"

comment=$(gh api --paginate "repos/$GH_REPO/issues/$number/comments" \
	--jq ".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$marker\"))) | .id" | head -n 1)
if [ -n "$comment" ]; then
	gh api --method PATCH "repos/$GH_REPO/issues/comments/$comment" -F body=@"$body" --silent
	echo "updated comment $comment of pull request $number"
else
	gh api --method POST "repos/$GH_REPO/issues/$number/comments" -F body=@"$body" --silent
	echo "commented on pull request $number"
fi
