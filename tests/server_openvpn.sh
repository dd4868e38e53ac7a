#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OpenVPN with keys in the TEE. It is one process without workers. It loads its key again, as nobody, at each restart
# by USR1. All of it runs in a network namespace of its own; the clients take the handshake and leave routes alone.
if [ "${1:-}" != inside ] && unshare -n true 2>/dev/null; then
	exec unshare -n "$0" inside
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
server_user=nobody
scenario openvpn openvpn openssl ip
[ "${1:-}" = inside ] || skip_all "openvpn: no network namespaces here"
ip link set lo up
[ -c /dev/net/tun ] && ip tuntap add keyward0 mode tun 2>/dev/null && ip tuntap del keyward0 mode tun ||
	skip_all "openvpn: its server mode needs /dev/net/tun"
make_server_keys
mkdir "$work/vpn"
chmod 777 "$work/vpn"
read -r port_ec port_rsa <<<"$(free_ports 2)"
pid_ec='' pid_rsa=''

# The client's own key is an ordinary file: it is the server that is tested.
file_key client.test ec-p256

start_one()
{
	local port=port_$1 net=10.91.1.0
	[ "$1" = ec ] || net=10.91.2.0
	OPENSSL_CONF=$kw_conf spawn "$work/vpn/$1.log" openvpn --server "$net" 255.255.255.0 --topology subnet \
		--dev "tun-$1" --dev-type tun --proto udp4 --port "${!port}" --user nobody --group nogroup --persist-tun --dh none \
		--ca "$work/ca.pem" --cert "$work/$1.test.pem" --key "$work/$1.test.key" --verb 3 --keepalive 10 60 \
		--tls-version-min 1.2 --suppress-timestamps --disable-dco --data-ciphers AES-256-GCM
	printf -v "pid_$1" %s "$spawned"
}
starts() { cat "$work/vpn/ec.log" "$work/vpn/rsa.log" | grep -c 'Initialization Sequence Completed'; }
started_after() { [ "$(starts)" -ge "$1" ]; }
start_server()
{
	start_one ec && start_one rsa && wait_for 20 started_after 2
}
reload_server()
{
	local before
	before=$(starts)
	kill -USR1 "$pid_ec" "$pid_rsa" && wait_for 30 started_after "$((before + 2))"
}
stop_server()
{
	local status
	stop_process "$pid_ec" TERM
	status=$?
	stop_process "$pid_rsa" TERM && return "$status"
}
server_logs() { echo "$work/vpn/ec.log" "$work/vpn/rsa.log"; }

# A client that ends after one connection. `--tls-exit`: a failed handshake ends it too.
one_handshake()
{
	local port=port_$1 log=$work/vpn/client.log client result=1
	: >"$log"
	openvpn --client --dev null --dev-type tun --ifconfig-noexec --route-noexec --disable-dco --data-ciphers AES-256-GCM --proto udp4 --remote 127.0.0.1 "${!port}" --nobind --ca "$work/ca.pem" \
		--cert "$work/client.test.file.pem" --key "$work/client.test.file.key" --verify-x509-name "$1.test" name \
		--tls-version-min "$2" --tls-version-max "$2" --tls-exit --connect-retry-max 1 --verb 3 \
		--suppress-timestamps >"$log" 2>&1 </dev/null &
	client=$!
	if wait_for 20 grep -qE 'Peer Connection Initiated|TLS Error|Exiting' "$log"; then
		grep -q 'Peer Connection Initiated' "$log" && grep -q "Control Channel: TLSv$2" "$log" && result=0
	fi
	kill "$client" 2>/dev/null
	wait "$client" 2>/dev/null
	cat "$log"
	return "$result"
}

server_life
finish
