#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The manual pages say what --help says: each command and option, in both directions. They render without a warning, and
# refer to pages of ours that there are.
. "$(dirname "$0")/lib.sh"
scenario manpages man
pages=$top/docs/man

# Long options of a help text on standard input: those that begin a line of its list.
help_options() { sed -n 's/^ *\(-[a-z], \)\{0,1\}\(--[a-z][a-z-]*\).*/\2/p' | sort -u; }

# page_options PAGE [SECTION]: long options in the lists of a page, or of one section of it.
page_options()
{
	awk -v section="${2:-}" '
		/^\.S[hs] / { inside = section == "" || substr($0, 5) == section }
		inside && /^\.It Fl / { for (i = 3; i <= NF; i++) if ($i ~ /^-[a-z]/) print "-" $i }' "$pages/$1" | sort -u
}

# agree WHAT HELP PAGE: both are lists of options.
agree()
{
	local difference
	difference=$(diff <(echo "$2") <(echo "$3"))
	if [ -z "$2" ]; then
		not_ok "$1: the help has no options"
	elif [ -z "$difference" ]; then
		ok "$1: help and manual page have the same options"
	else
		not_ok "$1: < only in --help, > only in the manual page"
		echo "$difference" | sed -n 's/^[<>]/#   &/p'
	fi
}

common=$(keyward help status | help_options | grep -v -e --json)
agree "common options" "$common" "$(page_options keyward.1 'COMMON OPTIONS')"
commands=$(keyward help | sed -n '/^Commands:/,/^$/s/^  \([a-z]* [a-z-]*\|[a-z]*\)  .*/\1/p' | sed 's/ *$//')
equal "every command has a section" "$commands" "$(sed -n 's/^\.Ss keyward //p' "$pages/keyward.1")"
while read -r command; do
	# shellcheck disable=SC2086 # the words of a command
	own=$(keyward help $command | help_options | grep -vxF -e "$common")
	case $command in
	help | 'token allow' | 'token deny')
		equal "$command has no options of its own" '' "$own"
		continue
		;;
	esac
	agree "keyward $command" "$own" "$(page_options keyward.1 "keyward $command")"
done <<<"$commands"

# words TEXT NAME…: each stands in the text.
words_in_page()
{
	local what=$1 word
	shift
	for word in "$@"; do
		grep -q "^\.\(It \)\?Cm .*\b$word\b" "$pages/keyward.1" && ok "the page has the $what $word" ||
			not_ok "the page has the $what $word"
	done
}
# shellcheck disable=SC2046 # a list of words
words_in_page type $(keyward help key generate | sed -n '/^Types:/{n;p;}')
# shellcheck disable=SC2046
words_in_page purpose $(keyward help key generate | sed -n '/^Purposes/,$s/^  \([a-z0-9-]*\)  .*/\1/p')
equal "the exit statuses" "$(keyward help | tail -2 | grep -oE '\b[0-9]\b' | sort)" \
	"$(awk '/^\.S[hs] / { inside = $0 == ".Sh EXIT STATUS" } inside && /^\.It / { print $2 }' "$pages/keyward.1")"

agree keyward-teed "$("$kw_teed" --help | help_options)" "$(page_options keyward-teed.8)"

for page in "$pages"/*.[1-8]; do
	LC_ALL=C.UTF-8 man --warnings=all -E UTF-8 -l "$page" >"$work/page" 2>"$work/warnings"
	if [ -s "$work/page" ] && [ ! -s "$work/warnings" ]; then
		ok "$(basename "$page") renders"
	else
		not_ok "$(basename "$page") renders without a warning"
		show_file "$work/warnings"
	fi
	while read -r name section; do
		[ -f "$pages/$name.$section" ] && ok "$(basename "$page") refers to $name($section)" ||
			not_ok "$(basename "$page") refers to $name($section), which there is not"
	done < <(sed -n 's/^\.Xr \([a-z-]*keyward[a-z-]*\) \([1-8]\).*/\1 \2/p' "$page" | sort -u)
done
finish
