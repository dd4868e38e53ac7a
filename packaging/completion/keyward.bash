# SPDX-License-Identifier: BSD-2-Clause
# Completion of keyward(1) for bash. Commands, options, types and purposes are read from its help texts, so that
# they are what the installed version has; names of keys come from the TEE.

_keyward_help()
{
	"${COMP_WORDS[0]}" "$@" 2>/dev/null </dev/null
}

# Of the lines on standard input those that begin like the word at the cursor. compgen -W would expand them.
_keyward_reply()
{
	local line
	while read -r line; do
		[[ -n $line && $line == "$cur"* ]] || continue
		[[ $line != *[!A-Za-z0-9._,:@+-]* ]] || line=$(printf %q "$line")
		COMPREPLY+=("$line")
	done
}

# The socket and kind of TEE that stand on the line so far.
_keyward_tee()
{
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | --tee) printf '%s\n%s\n' "${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}" ;;
		esac
	done
}

# What a command prints about the TEE's contents. Only one that runs is asked: completion starts none, for which a socket
# has to be given.
_keyward_ask()
{
	local options
	mapfile -t options < <(_keyward_tee)
	if [ "${#options[@]}" -eq 0 ] && [ -z "${KEYWARD_SOCKET:-}" ] && [ ! -S /run/keyward/tee.sock ] &&
		[ ! -S "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/keyward/tee.sock" ] &&
		[ ! -S "${HOME:-}/.local/share/keyward/tee.sock" ]; then
		return
	fi
	_keyward_help "$@" "${options[@]}"
}

_keyward_names() { _keyward_ask key list --names; }
_keyward_slots() { _keyward_ask token list | sed -n 's/^\([0-9][0-9]*\) .*/\1/p'; }

_keyward()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' before='' i operands=0
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--tee | --socket | --type | --purpose | --allow | --passphrase-file | --passphrase-fd | --file | --name | \
			--subject | --san | --threads | --seconds | --challenge | --device-key | --key | --require | --output | -o | \
			--label | --pin-file | --new-pin-file) i=$((i + 1)) ;;
		-*) ;;
		*)
			case $command in
			'' | help | key | 'help key' | attest | 'help attest' | token | 'help token') command="${command:+$command }${COMP_WORDS[i]}" ;;
			*) operands=$((operands + 1)) ;;
			esac
			;;
		esac
	done
	case $prev in
	--tee)
		_keyward_reply < <(printf '%s\n' host optee)
		return
		;;
	--type)
		_keyward_reply < <(_keyward_help key generate --help | sed -n '/^Types:/{n;p;}' | tr -s ' ' '\n')
		return
		;;
	--purpose)
		[[ $cur != *,* ]] || before=${cur%,*},
		_keyward_reply < <(_keyward_help key generate --help |
			sed -n "/^Purposes/,\$s/^  \\([a-z0-9-]*\\) .*/$before\\1/p")
		compopt -o nospace 2>/dev/null
		return
		;;
	--socket | --file | --passphrase-file | --pin-file | --new-pin-file | --device-key | --key | --output | -o)
		compopt -o default 2>/dev/null
		return
		;;
	--passphrase-fd | --name | --subject | --threads | --seconds | --challenge | --label) return ;;
	--require)
		_keyward_reply < <(printf '%s\n' generated kept optee)
		return
		;;
	--san)
		_keyward_reply < <(printf '%s\n' DNS: IP: email: URI:)
		compopt -o nospace 2>/dev/null
		return
		;;
	esac
	# readline breaks words at colons: "user", ":", "www".
	if [ "$prev" = : ] || [ "$cur" = : ]; then
		local who=$prev
		[ "$cur" = : ] && cur='' || who=${COMP_WORDS[COMP_CWORD - 2]}
		case $who in
		user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
		group) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
		esac
		return
	fi
	if [ "$prev" = --allow ] || { [ "$operands" -ge 1 ] && [[ $command =~ ^(key|token)\ (allow|deny)$ ]] && [[ $cur != -* ]]; }; then
		_keyward_reply < <(printf '%s\n' user: group:)
		compopt -o nospace 2>/dev/null
		return
	fi
	if [[ $cur == -* ]]; then
		if [ -z "$command" ]; then
			_keyward_reply < <(printf '%s\n' --tee --socket --version --help)
			return
		fi
		# shellcheck disable=SC2086 # the words of a command
		_keyward_reply < <(_keyward_help $command --help |
			sed -n '/^Options:/,/^$/s/^  \(-[a-z], \|    \)\(--[a-z-]*\).*/\2/p')
		return
	fi
	case $command in
	'' | help) _keyward_reply < <(_keyward_help help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p' | sort -u) ;;
	key | 'help key') _keyward_reply < <(_keyward_help help key | sed -n '/^Commands:/,/^$/s/^  key \([a-z]*\).*/\1/p') ;;
	attest | 'help attest') _keyward_reply < <(_keyward_help help attest | sed -n '/^Commands:/,/^$/s/^  attest \([a-z]*\).*/\1/p') ;;
	token | 'help token') _keyward_reply < <(_keyward_help help token | sed -n '/^Commands:/,/^$/s/^  token \([a-z-]*\).*/\1/p') ;;
	'token set-pin' | 'token unlock' | 'token delete' | 'token objects' | 'token allow' | 'token deny')
		[ "$operands" -gt 0 ] || _keyward_reply < <(_keyward_slots)
		;;
	'key show' | 'key rename' | 'key delete' | 'key allow' | 'key deny' | 'key csr' | 'key pem' | 'key attest')
		[ "$operands" -gt 0 ] || _keyward_reply < <(_keyward_names)
		compopt -o default 2>/dev/null
		;;
	'key import' | 'key seal' | 'attest verify') compopt -o default 2>/dev/null ;;
	esac
}

complete -F _keyward keyward
