#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ./demo, without its installing and building: it tells the whole story and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
scenario demo-test nginx curl
refuse "it does nothing when it is asked for what it has not" 'usage: ./demo' "$top/demo" --help
mkdir "$work/tmp"
chmod 755 "$work/tmp"
TMPDIR=$work/tmp KW_DEMO_BUILT=1 timeout 300 "$top/demo" >"$work/out" 2>&1
status=$?
equal "./demo ends with 0" 0 "$status"
[ "$status" = 0 ] || show_file "$work/out" 60
for line in "openssl s_client verifies a TLS 1.3 handshake" "openssl s_client verifies a TLS 1.2 handshake" \
	"curl does over TLS 1.3" "curl does over TLS 1.2" "shop.test.com is refused" "found in all 3 processes" "found in none" \
	"nginx's user cannot open the TEE's memory" "none failed"; do
	check "it shows: $line" grep -qF "$line" "$work/out"
done
check "nothing that it made is left" sh -c '! ls -A "$1" | grep .' sh "$work/tmp"
check "no process of it is left" sh -c '! pgrep -f "$1"' sh "$work/tmp/[k]eyward-demo"
finish
