#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# stunnel with keys in the TEE. It is one process with threads; a HUP loads the keys again in it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
server_user=stunnel4
getent passwd stunnel4 >/dev/null || server_user=nobody
scenario stunnel stunnel4 openssl
make_server_keys
read -r port_ec port_rsa port_echo <<<"$(free_ports 3)"
mkdir "$work/stunnel"
chown "$server_user" "$work/stunnel"

# What stunnel forwards to: anything that accepts.
spawn "$work/stunnel/backend" python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    c.sendall(b"hello\n")
    c.close()' "$port_echo"

start_server()
{
	cat >"$work/stunnel.conf" <<-CONF
		foreground = yes
		setuid = $server_user
		pid = $work/stunnel/pid
		output = $work/stunnel/log
		debug = notice
		sslVersionMin = TLSv1.2
		[ec]
		accept = 127.0.0.1:$port_ec
		connect = 127.0.0.1:$port_echo
		cert = $work/ec.test.pem
		key = $work/ec.test.key
		[rsa]
		accept = 127.0.0.1:$port_rsa
		connect = 127.0.0.1:$port_echo
		cert = $work/rsa.test.pem
		key = $work/rsa.test.key
	CONF
	OPENSSL_CONF=$kw_conf spawn "$work/stunnel/stderr" stunnel4 "$work/stunnel.conf"
	stunnel_pid=$spawned
	wait_for_port "$port_echo" && wait_for_port "$port_ec" && wait_for_port "$port_rsa"
}

loads() { grep -c 'Configuration successful' "$work/stunnel/log"; }
loaded_after() { [ "$(loads)" -gt "$1" ] && port_open "$port_ec" && port_open "$port_rsa"; }
reload_server()
{
	local before
	before=$(loads)
	kill -HUP "$stunnel_pid" && wait_for 20 loaded_after "$before"
}
stop_server() { stop_process "$stunnel_pid" TERM; }
server_logs() { echo "$work/stunnel/log" "$work/stunnel/stderr"; }
one_handshake()
{
	local port=port_$1
	handshake "${!port}" "$1.test" "$2"
}

server_life
finish
