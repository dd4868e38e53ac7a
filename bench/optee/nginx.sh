#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Full TLS 1.3 handshakes with nginx on the emulated board: a file key beside a key in OP-TEE, in turn within one boot. The
# client is on the board as well, and needs as much of its emulated CPUs with either key.
# usage: KW_QEMU_BUILD=build-qemu bench/optee/nginx.sh [--short]     after tools/qemu/build
. "$(dirname "$0")/../../tests/lib.sh"
. "$(dirname "$0")/../../tests/optee_steps.sh"
board_scenario bench-optee-nginx python3
mkdir "$share"
count=200 rounds=5
[ "${1:-}" != --short ] || { count=20 rounds=1; }
make_ca
port=4430
for type in ec-p256 rsa-2048; do
	file_key "$type" "$type" || exit 1
	cp "$work/$type.file.key" "$share/file-$type.pem"
	for kind in file keyward; do
		port=$((port + 1))
		cp "$work/$type.file.pem" "$share/$kind-$type.crt"
		cat <<-CONF
			server {
				listen $port ssl;
				ssl_certificate /disk/tls/$kind-$type.crt;
				ssl_certificate_key /disk/tls/$kind-$type.pem;
			}
		CONF
	done
done | guest_nginx_conf >"$share/nginx.conf"
guest_openssl_conf
boot || {
	show_file "$work/board.log"
	exit 1
}
{
	guest mkdir -p /disk/tls && guest sh -c 'cp /share/*.crt /share/*.pem /disk/tls/' &&
		import_key keyward-ec-p256 /share/file-ec-p256.pem && import_key keyward-rsa-2048 /share/file-rsa-2048.pem &&
		start_nginx
} >"$work/out" 2>&1 || {
	show_file "$work/out"
	exit 1
}

# handshakes PORTS CLIENTS: that many clients at once; a line for each client and port.
handshakes()
{
	# shellcheck disable=SC2016
	guest sh -c 'cd /usr/libexec/keyward-tests && for n in $(seq "$1"); do ./handshake "$2" $3 & done; wait' \
		sh "$2" "$((count / $2))" "$1"
}

echo
echo "## nginx on the emulated board: full TLS 1.3 handshakes/s, two workers"
echo
echo "| key | clients | file | in OP-TEE | ratio |"
echo "|---|---|---|---|---|"
for clients in 1 2; do
	for pair in ec-p256:4431:4432 rsa-2048:4433:4434; do
		IFS=: read -r type port_file port_keyward <<<"$pair"
		: >"$work/rounds"
		for ((i = 0; i < rounds; i++)); do
			for port in $port_file $port_keyward; do
				handshakes "$port" "$clients" >"$work/out" || {
					show_file "$work/out"
					exit 1
				}
				awk -v port="$port" '{ sum += 1e6 / $4 } END { print port, sum }' "$work/out" >>"$work/rounds"
			done
		done
		python3 - "$work/rounds" "$type" "$clients" "$port_file" <<-'PY'
			import statistics, sys
			path, name, clients, file_port = sys.argv[1:]
			rates = {True: [], False: []}
			for line in open(path):
			    port, rate = line.split()
			    rates[port == file_port].append(float(rate))
			a, b = (statistics.median(rates[k]) for k in (True, False))
			print(f"| {name} | {clients} | {a:.0f} | {b:.0f} | {b / a:.2f} |")
		PY
	done
done
echo
echo "Medians of $rounds rounds of $count handshakes with each key in turn."
