#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# PostgreSQL with keys in the TEE: a cluster of its own for each key, each connection a forked backend.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
server_user=postgres
pg_bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
PATH=$PATH:$pg_bin
scenario postgresql initdb postgres psql openssl
make_server_keys
read -r port_ec port_rsa <<<"$(free_ports 2)"

make_cluster()
{
	local dir=$work/pg-$1 port=port_$1
	install -d -o postgres -g postgres -m 700 "$dir" &&
		(cd / && as postgres initdb -D "$dir" -A trust --no-sync) &&
		install -o postgres -m 644 "$work/$1.test.pem" "$dir/server.crt" &&
		# PostgreSQL wants its key file to be its own and closed to others, whatever is in it.
		install -o postgres -m 600 "$work/$1.test.key" "$dir/server.key" &&
		cat >>"$dir/postgresql.conf" <<-CONF
			listen_addresses = '127.0.0.1'
			port = ${!port}
			unix_socket_directories = ''
			ssl = on
			ssl_min_protocol_version = 'TLSv1.2'
			fsync = off
			shared_buffers = 1MB
			max_connections = 10
			autovacuum = off
		CONF
}
check "PostgreSQL: clusters are made" eval 'make_cluster ec && make_cluster rsa'
pid_ec='' pid_rsa=''

one_handshake()
{
	local port=port_$1 found
	found=$(PGCONNECT_TIMEOUT=20 psql -X -At -c "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()" \
		"hostaddr=127.0.0.1 host=$1.test port=${!port} user=postgres dbname=postgres sslmode=verify-full
		sslrootcert=$work/ca.pem ssl_min_protocol_version=TLSv$2 ssl_max_protocol_version=TLSv$2") || return 1
	echo "$found"
	[ "$found" = "TLSv$2" ]
}

start_server()
{
	local type
	for type in ec rsa; do
		OPENSSL_CONF=$kw_conf spawn "$work/pg-$type.log" setpriv --reuid postgres --regid postgres --init-groups -- \
			env -C / postgres -D "$work/pg-$type"
		printf -v "pid_$type" %s "$spawned"
	done
	wait_for 30 one_handshake ec 1.3 && wait_for 30 one_handshake rsa 1.3
}

reloads() { cat "$work"/pg-*.log | grep -c 'received SIGHUP'; }
# A reload that cannot use the key says so and keeps the old one: that is a failure here.
reload_server()
{
	local before
	before=$(reloads)
	kill -HUP "$pid_ec" "$pid_rsa" && wait_for 20 reloaded_after "$((before + 2))" &&
		! grep -E 'SSL configuration was not reloaded' "$work"/pg-*.log
}
reloaded_after() { [ "$(reloads)" -ge "$1" ]; }

recovered() { [ "$(grep -c 'database system is ready to accept connections' "$work/pg-$1.log")" -gt "$2" ]; }
# A backend that is killed takes all others with it; the postmaster then starts again from its log.
kill_worker()
{
	local type before pid port
	for type in ec rsa; do
		port=port_$type pid=pid_$type
		before=$(grep -c 'database system is ready to accept connections' "$work/pg-$type.log")
		pkill -KILL -P "${!pid}" -f checkpointer || return 1
		wait_for 30 recovered "$type" "$before" || return 1
	done
}

stop_server()
{
	local status
	stop_process "$pid_ec" INT
	status=$?
	stop_process "$pid_rsa" INT && return "$status"
}
server_logs() { echo "$work/pg-ec.log" "$work/pg-rsa.log"; }

server_life
finish
