#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Both TEEs, the process on this machine and the Trusted Application on the emulated board, answer the same commands at
# random in the same way: KW_SEEDS (default "1") names the sequences, KW_COMMANDS how many commands each has.
. "$(dirname "$0")/lib.sh"
scenario optee-same setpriv
seeds=${KW_SEEDS:-1} commands=${KW_COMMANDS:-10000}
[ "$KW_LONG" = 0 ] || seeds=${KW_SEEDS:-"1 2 3 4 5 6 7 8"}

on_host() { KEYWARD_TEE=host "$KW_BUILD/tests/optee/same" "$1" "$commands"; }
on_board()
{
	"$top/tools/qemu/run" --no-build --logs "$work/logs" --timeout 7200 \
		env KEYWARD_TEE=optee /usr/libexec/keyward-tests/same "$1" "$commands"
}

# Nothing was compared if all of it was refused: each command succeeds, and each kind of refusal occurs.
is_varied()
{
	local word
	for word in hello status key_generate key_import key_info key_list key_rename key_delete key_access key_csr key_load \
		sign rsa_decrypt key_attributes object_put object_get object_list object_delete \
		random cipher mac derive wrap unwrap key_attest attest_key \
		token_list token_init token_login token_logout token_set_pin token_init_pin token_delete authorize token_access; do
		[ "$(grep -c " $word(.*: OK " "$1")" -ge 5 ] || { echo "few of $word succeed" && return 1; }
	done
	for word in BAD_REQUEST BAD_VERSION UNKNOWN_COMMAND TOO_LARGE NO_KEY NAME_TAKEN BAD_NAME ACCESS NOT_OWNER \
		MAY_NOT_CREATE PURPOSE TLS_MESSAGE BAD_ALGORITHM BAD_KEY UNSUPPORTED_TYPE NOT_LOADED CORRUPT DECRYPT KEY_EXISTS NO_OBJECT \
		MIXED BAD_MAC NO_TOKEN PIN PIN_LOCKED NOT_LOGGED_IN; do
		grep -q ": $word\$" "$1" || { echo "no $word" && return 1; }
	done
}

for seed in $seeds; do
	on_board "$seed" >"$work/board.$seed" 2>"$work/board.err" &
	board=$!
	# The same as on the board: nobody but root creates or administers.
	rm -rf "$work/tee"
	tee_start || not_ok "the TEE on this machine starts"
	on_host "$seed" >"$work/host.$seed" 2>"$work/host.err"
	equal "seed $seed: $commands commands, and every reply of the TEE on this machine is valid" 0 $?
	show_file "$work/host.err"
	tee_stop
	wait "$board"
	equal "seed $seed: $commands commands, and every reply on the board is valid" 0 $?
	grep -v '^tools/qemu/run: status 0' "$work/board.err" | sed 's/^/#   /'
	check "seed $seed: the commands get to answers of every kind" is_varied "$work/host.$seed"
	check "seed $seed: $(wc -l <"$work/board.$seed") lines, none different" \
		diff "$work/host.$seed" "$work/board.$seed"
	[ "${KW_KEEP:-0}" = 0 ] || echo "# $(awk '/: OK / { n++ } END { print n }' "$work/host.$seed") succeed"
done
finish
