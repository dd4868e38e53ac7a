#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OpenVPN clients with key and certificate in the TEE by the PKCS #11 module; the server's key is a file.
# All of it runs in a network namespace of its own, as in server_openvpn.sh.
if [ "${1:-}" != inside ] && unshare -n true 2>/dev/null; then
	exec unshare -n "$0" inside
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-openvpn pkcs11-tool openvpn openssl ip
[ "${1:-}" = inside ] || skip_all "pkcs11-openvpn: no network namespaces here"
ip link set lo up
[ -c /dev/net/tun ] && ip tuntap add keyward0 mode tun 2>/dev/null && ip tuntap del keyward0 mode tun ||
	skip_all "pkcs11-openvpn: OpenVPN's server mode needs /dev/net/tun"
pkcs11_start
make_ca
id=0
for type in ec=EC:prime256v1 rsa=rsa:2048; do
	key=${type%%=*} id=$((id + 1))
	make_key "$key.test" 0$id "${type#*=}"
	certificate_for "$key.test"
	openssl x509 -in "$work/$key.test.pem" -outform DER -out "$work/$key.test.cert"
	check "a certificate is put beside the $key key" tool --write-object "$work/$key.test.cert" --type cert --id 0$id --label "$key.test"
done
file_key server ec-p256
read -r port <<<"$(free_ports 1)"

check "OpenVPN lists what it can use" openvpn --show-pkcs11-ids "$module"
cp "$work/check.out" "$work/ids"
# identity NAME: what OpenVPN shows for the certificate of this name
identity() { grep -A4 "DN: .*CN=$1" "$work/ids" | sed -n 's/^ *Serialized id: *//p'; }
for key in ec rsa; do
	check "the $key key, with its certificate" test -n "$(identity $key.test)"
done

spawn "$work/server.log" openvpn --server 10.91.3.0 255.255.255.0 --topology subnet --dev tun-hsm --dev-type tun --proto udp4 \
	--port "$port" --dh none --ca "$work/ca.pem" --cert "$work/server.file.pem" --key "$work/server.file.key" --verb 3 \
	--keepalive 10 60 --tls-version-min 1.2 --suppress-timestamps --disable-dco --data-ciphers AES-256-GCM
wait_for 20 grep -q 'Initialization Sequence Completed' "$work/server.log" || show_file "$work/server.log"

client_options=(--client --dev null --dev-type tun --ifconfig-noexec --route-noexec --disable-dco --data-ciphers AES-256-GCM
	--proto udp4 --remote 127.0.0.1 "$port" --nobind --ca "$work/ca.pem" --verify-x509-name server name --verb 3
	--suppress-timestamps --pkcs11-providers "$module")
# client VERSION ARGUMENT…: until there is a connection
client()
{
	local log=$work/client.log client result=1
	: >"$log"
	openvpn "${client_options[@]}" --tls-version-min "$1" --tls-version-max "$1" --tls-exit --connect-retry-max 1 "${@:2}" \
		>"$log" 2>&1 </dev/null &
	client=$!
	if wait_for 20 grep -qE 'Initialization Sequence Completed|TLS Error|Exiting' "$log"; then
		grep -q 'Initialization Sequence Completed' "$log" && grep -q "Control Channel: TLSv$1" "$log" && result=0
	fi
	kill "$client" 2>/dev/null
	wait "$client" 2>/dev/null
	cat "$log"
	return "$result"
}
for key in ec rsa; do
	for version in 1.2 1.3; do
		check "OpenVPN connects with the $key key, TLS $version" used $key.test client $version --pkcs11-id "$(identity $key.test)"
		check "the server knows the client by its certificate" grep -q "\[$key.test\] Peer Connection Initiated" "$work/server.log"
		: >"$work/server.log"
	done
done

# As a daemon: it forks when it has the module already, and signs as another user from then on.
keyward key allow rsa.test user:nobody >/dev/null
daemon=$work/daemon.log
connections() { grep -c 'Initialization Sequence Completed' "$daemon"; }
connected() { [ "$(connections)" -ge "$1" ]; }
check "a client in the background starts" openvpn "${client_options[@]}" --pkcs11-id "$(identity rsa.test)" --user nobody --persist-key \
	--daemon --log "$daemon" --writepid "$work/pid"
check "and connects" wait_for 20 connected 1
[ "$failed" -eq 0 ] || show_file "$daemon"
client=$(cat "$work/pid")
groups_started+=("$client")
kill -USR1 "$client"
check "and once more after USR1" used rsa.test wait_for 30 connected 2
[ "$failed" -eq 0 ] || show_file "$daemon"
kill -TERM "$client"
check "it ends when it is told" wait_for 10 gone "$client"
check "nothing has crashed" no_crash "$daemon" "$work/server.log"
finish
