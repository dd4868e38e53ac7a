#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Keys in OP-TEE are in no process of the emulated board, and nowhere in the normal world's memory once the process that
# imported them has ended. Searched by tools/memory-scan outside of the board, with keys of nginx's own as the control.
#
# The key files are encrypted, Keyward's and the control's alike: the kernel keeps pieces of a plain file in memory that it
# has freed, whoever read it, so only what the processes themselves leave behind can be told apart.
# usage: KW_QEMU_BUILD=build-qemu tests/optee_memory.sh     after tools/qemu/build
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/optee_steps.sh"
board_scenario optee-memory python3
mkdir "$share"

# guest_server PORT NAME [LINE]
guest_server()
{
	cat <<-CONF
		server {
			listen $1 ssl;
			ssl_certificate /disk/tls/$2.crt;
			ssl_certificate_key /disk/tls/$2.pem;
			${3:-}
		}
	CONF
}
file_servers()
{
	guest_server 445 file-ec.test "ssl_password_file /share/passphrase;"
	guest_server 446 file-rsa.test "ssl_password_file /share/passphrase;"
}
keyward_servers()
{
	guest_server 443 ec.test
	guest_server 444 rsa.test
}
guest_openssl_conf
openssl rand -hex 16 >"$share/passphrase"

# Reads what the kernel shows of a process's memory into /share/memory; prints how many bytes it should be.
cat >"$share/dump" <<-'END'
	size=0
	while read -r span rights rest; do
		case $rights in r*) ;; *) continue ;; esac
		case $rest in *'[vvar'*) continue ;; esac
		start=$((0x${span%-*} / 4096)) end=$((0x${span#*-} / 4096))
		size=$((size + (end - start) * 4096))
		dd if="/proc/$1/mem" bs=4096 skip="$start" count=$((end - start)) 2>/dev/null
	done <"/proc/$1/maps" >/tmp/pages
	echo "$size"
END

# scan KEY DUMP: 0 not found, 1 found
scan() { "$top/tools/memory-scan" "$work/$1.file.key" --dump "$2"; }
not_in() { check "$3: the key of $1 is not there" scan "$1" "$2"; }
in_it()
{
	scan "$1" "$2" >"$work/scan" 2>&1
	equal "$3: the key of $1 is found" 1 $?
}

# dump_process PID WHAT: into $share/memory
dump_process()
{
	local size
	size=$(guest sh -c 'mkfifo /tmp/pages; dd if=/tmp/pages of=/share/memory ibs=65536 obs=262144 2>/dev/null & sh /share/dump "$1"; wait
		rm /tmp/pages' sh "$1")
	check "$2 has memory" test "$size" -gt 1000000
	equal "$2: all of it is read" "$size" "$(stat -c %s "$share/memory")"
}

# held COMMAND…: prints the process that is going to wait; is_held PID, ended NAME
held() { guest sh -c '"$@" >/tmp/full 2>/dev/null & echo $!' sh "$@"; }
is_held() { guest grep -q pipe_write "/proc/$1/wchan"; }
ended() { guest sh -c '! pidof "$1"' sh "$1"; }

# dump_board: all of the normal world's memory as it is at one moment. The board is made with 1 GiB from 0x40000000; the
# secure world's 16 MiB are at 0x0e000000, outside of what the normal world, and this command, can address.
dump_board()
{
	python3 - "$work/qmp" "$work/dump" <<-'PY'
		import json, socket, sys
		with socket.socket(socket.AF_UNIX) as s:
		    s.connect(sys.argv[1])
		    lines = s.makefile("rw")
		    def answer():
		        while True:
		            line = json.loads(lines.readline())
		            if "error" in line:
		                sys.exit(line["error"]["desc"])
		            if "return" in line:
		                return
		    lines.readline()
		    for command, arguments in (("qmp_capabilities", {}), ("stop", {}),
		                               ("pmemsave", {"val": 0x40000000, "size": 1 << 30, "filename": sys.argv[2]}),
		                               ("cont", {})):
		        lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
		        lines.flush()
		        answer()
	PY
}

# The whole of it holds the file keys, which nginx has, and no other.
check_board()
{
	check "$1: all of the normal world's memory is read" dump_board
	equal "$1: it is 1 GiB" $((1 << 30)) "$(stat -c %s "$work/dump")"
	for kind in ec rsa; do
		in_it "file-$kind.test" "$work/dump" "$1"
		not_in "$kind.test" "$work/dump" "$1"
	done
}

make_ca
for pair in ec.test:ec-p256 rsa.test:rsa-2048 file-ec.test:ec-p256 file-rsa.test:rsa-2048 left.test:rsa-2048; do
	host=${pair%:*}
	file_key "$host" "${pair#*:}" || exit 1
	# Few rounds: the board is slow, and nobody tries passphrases here.
	openssl pkcs8 -topk8 -in "$work/$host.file.key" -out "$share/$host.pem" -v2 aes-256-cbc -iter 1000 \
		-passout "file:$share/passphrase" || exit 1
	cp "$work/$host.file.pem" "$share/$host.crt"
done
if ! boot 443 444 445 446 -- --qmp "$work/qmp"; then
	not_ok "the board boots"
	show_file "$work/board.log"
	finish
fi
guest mkdir -p /disk/tls
guest sh -c 'cp /share/*.crt /share/file-*.pem /disk/tls/'
file_servers | guest_nginx_conf >"$share/nginx.conf"
check "nginx starts with file keys" start_nginx
# Processes that cannot end, because nobody takes what they print: all that they did not wipe is still theirs.
guest sh -c 'mkfifo /tmp/full && sleep 100000 <>/tmp/full >/dev/null 2>&1 & sleep 1; dd if=/dev/zero of=/tmp/full bs=4096 count=16' \
	>/dev/null
pid=$(held openssl pkey -in /share/left.test.pem -passin file:/share/passphrase -outform DER)
check "openssl waits for somebody to take a key" wait_for 30 is_held "$pid"
dump_process "$pid" "openssl"
in_it left.test "$share/memory" "openssl"
for host in ec.test rsa.test; do
	pid=$(held keyward --tee optee key import "$host" "/share/$host.pem" --passphrase-file /share/passphrase \
		--purpose tls-server --allow user:www-data)
	check "keyward waits for somebody to take what it says" wait_for 30 is_held "$pid"
	check "the key of $host is imported" sh -c 'grep -qx "$1"' sh "$host" < <(guest keyward --tee optee key list --names)
	dump_process "$pid" "keyward"
	not_in "$host" "$share/memory" "keyward"
done
check "all of the normal world's memory is read" dump_board
in_it left.test "$work/dump" "before they end"
not_in ec.test "$work/dump" "before they end"
not_in rsa.test "$work/dump" "before they end"
guest timeout 2 cat /tmp/full >/dev/null
check "keyward ends" wait_for 20 ended keyward
for host in ec.test rsa.test; do
	check "the key file for $host" guest keyward --tee optee key pem "$host" -o "/disk/tls/$host.pem"
done
check_board "after the import"
[ "$failed" -eq 0 ] || finish

{ file_servers && keyward_servers; } | guest_nginx_conf >"$share/nginx.conf"
check "nginx takes the other keys too" guest env OPENSSL_CONF=/share/openssl.cnf nginx -c /share/nginx.conf -s reload
check "and serves them" wait_for 20 handshake "$(port_of 444)" rsa.test 1.3
for version in 1.3 1.2; do
	for pair in 443:ec.test 444:rsa.test 445:file-ec.test 446:file-rsa.test; do
		check "TLS $version with the key of ${pair#*:}" handshake "$(port_of "${pair%:*}")" "${pair#*:}" "$version"
	done
done
for pid in $(guest pidof nginx); do
	dump_process "$pid" "nginx $pid"
	for kind in ec rsa; do
		in_it "file-$kind.test" "$share/memory" "nginx $pid"
		not_in "$kind.test" "$share/memory" "nginx $pid"
	done
done
dump_process "$(guest pidof tee-supplicant)" tee-supplicant
for kind in ec rsa; do
	not_in "$kind.test" "$share/memory" tee-supplicant
done
check "all of the normal world's memory is read" dump_board
not_in ec.test "$work/dump" "after the handshakes"
not_in rsa.test "$work/dump" "after the handshakes"
check "the board goes on" handshake "$(port_of 443)" ec.test 1.3
check "and powers off" power_off
finish
