#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Completion offers what the commands take, asks only a TEE that runs, and expands nothing that comes from it.
. "$(dirname "$0")/lib.sh"
scenario completion
# shellcheck source=packaging/completion/keyward.bash
. "$top/packaging/completion/keyward.bash"

# completes SENTENCE EXPECTED WORD…: what is offered for the last word.
completes()
{
	local what=$1 expected=$2
	shift 2
	COMP_WORDS=(keyward "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_keyward
	equal "$what" "$expected" "${COMPREPLY[*]}"
}

completes "commands" "attest bench help key status token" ''
completes "commands that begin like this" "status" st
completes "commands of a group" "show seal" key s
completes "commands of the other group" "key verify" attest ''
completes "and of tokens" "set-pin" token s
completes "the help of commands" "generate" help key g
completes "types" "ec-p256 ec-p384 ec-p521" key generate a --type ec
completes "purposes" "tls-server tls-client" key generate a --purpose tls
completes "a second purpose" "csr,decrypt csr,decrypt-pkcs1 csr,derive csr,derive-value" key generate a --purpose csr,d
completes "users" "root" key generate a --allow user : roo
completes "kinds of who" "user: group:" key allow a ''
completes "kinds of TEE" "host optee" --tee ''
while read -r command; do
	# shellcheck disable=SC2086 # the words of a command
	expected=$(keyward help $command | sed -n '/^Options:/,/^$/s/^ *\(-[a-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p' | tr '\n' ' ')
	# shellcheck disable=SC2086
	completes "options of $command" "${expected% }" $command --
done < <(keyward help | sed -n '/^Commands:/,/^$/s/^  \([a-z]* [a-z-]*\|[a-z]*\)  .*/\1/p' | sed 's/ *$//')

tee_start || { not_ok "the TEE starts" && show_file "$work/tee.log" && finish; }
keyward key generate www.test.com >/dev/null
keyward key generate '*.test.com' >/dev/null
keyward key generate other >/dev/null
completes "names of keys" '\*.test.com other www.test.com' key show ''
completes "a name" "www.test.com" key delete w
keyward token init 5 --label x --pin-file <(echo 12345678) >/dev/null
completes "slots of tokens" "5" token delete ''
completes "no name where none is wanted" "" key show other w
cd "$work" || exit 1
touch x.test.com
completes "a name with a star is not expanded to files" '\*.test.com' key show '*'
# shellcheck disable=SC2317 # called by what is sourced
_keyward_names() { printf '%s\n' '$(touch executed)' '`touch executed`'; }
completes "a hostile name is quoted" '\$\(touch\ executed\) \`touch\ executed\`' key show ''
[ ! -e executed ] && ok "and not run" || not_ok "and not run"

if command -v zsh >/dev/null; then
	check "the zsh completion parses" zsh -n "$top/packaging/completion/_keyward"
else
	skip "zsh is not installed"
fi
finish
