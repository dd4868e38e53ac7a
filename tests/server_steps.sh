# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The life of a TLS server, the same for each. A server's scenario defines
#   start_server, reload_server, stop_server (the result is its exit status), server_logs (prints file names),
#   one_handshake ec|rsa 1.2|1.3, and kill_worker where the server has workers.

server_user=www-data

make_server_keys()
{
	make_ca
	tee_start || {
		not_ok "the TEE starts"
		show_file "$work/tee.log"
		finish
	}
	check "keys for $name are made" server_key ec.test ec-p256 "$server_user"
	check "RSA too" server_key rsa.test rsa-2048 "$server_user"
	[ "$failed" -eq 0 ] || finish
}

four_handshakes()
{
	local type version
	for type in ec rsa; do
		for version in 1.2 1.3; do
			check "$name: TLS $version with an $type key $1" one_handshake "$type" "$version"
		done
	done
}

# rounds N: all must succeed; returns at the first that does not.
rounds()
{
	local i type
	for ((i = 0; i < $1; i++)); do
		for type in ec rsa; do
			one_handshake "$type" 1.3 && one_handshake "$type" 1.2 || return 1
		done
	done
}

show_logs()
{
	local log
	for log in $(server_logs); do
		echo "# $log"
		show_file "$log" 15
	done
}

server_life()
{
	local i signal status
	if ! start_server; then
		not_ok "$name starts"
		show_logs
		finish
	fi
	ok "$name starts"
	four_handshakes "after the start"
	for i in 1 2; do
		check "$name: reload $i" reload_server
		four_handshakes "after reload $i"
	done
	if declare -F kill_worker >/dev/null; then
		check "$name: a worker is killed, another comes" kill_worker
		four_handshakes "after a worker was killed"
	fi
	for signal in TERM KILL; do
		tee_restart "$signal"
		check "$name: no handshake fails after the TEE came back from SIG$signal, without a reload" rounds 3
	done
	check "$name: reload after the restarts of the TEE" reload_server
	four_handshakes "after that reload"
	stop_server
	status=$?
	equal "$name: exit status at the end" 0 "$status"
	# shellcheck disable=SC2046
	check "$name: no crash in its logs" no_crash $(server_logs)
	[ "$failed" -eq 0 ] || show_logs
}
