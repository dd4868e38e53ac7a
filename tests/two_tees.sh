#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A store belongs to one TEE at a time and to one device.
. "$(dirname "$0")/lib.sh"
scenario two-tees setpriv openssl
tee_start || {
	not_ok "the TEE starts"
	show_file "$work/tee.log"
	finish
}
run_teed() { timeout 20 setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" "$@"; }
keyward key generate kept.test >/dev/null && ok "a key is made" || not_ok "a key is made"
keyward key seal --type ec-p256 -o "$work/sealed.pem" >/dev/null && ok "and a sealed one" || not_ok "and a sealed one"
id=$(keyward key show kept.test | grep -oE '[0-9a-f]{64}' | head -n 1)

refuse "a second TEE on the store does not start" "another|busy|in use|using" \
	run_teed --store "$work/tee/store" --socket "$work/tee/second.sock"
check "the first goes on" keyward key show kept.test
install -d -o "$tee_user" "$work/elsewhere"
refuse "a second TEE on the socket does not start" "socket|already|in use" \
	run_teed --store "$work/elsewhere/store" --socket "$KEYWARD_SOCKET"
check "the first still answers" keyward key show kept.test
tee_stop KILL
check "after a kill -9 the store is free again" tee_start
equal "with the same key" "$id" "$(keyward key show kept.test | grep -oE '[0-9a-f]{64}' | head -n 1)"
tee_stop

# Another device: the same files, another secret.
secret=$work/tee/store.secret
equal "the device secret is a file closed to others" 600 "$(stat -c %a "$secret")"
cp -p "$secret" "$work/secret.kept"
sums() { find "$work/tee/store" -type f ! -name '*lock*' -exec sha256sum {} + | sort; }
before=$(sums)
head -c "$(stat -c %s "$secret")" /dev/urandom >"$work/other"
install -o "$tee_user" -m 600 "$work/other" "$secret"
refuse "with another device secret the store does not open, and the TEE says why" "another device|other device|device secret" \
	run_teed --store "$work/tee/store" --socket "$KEYWARD_SOCKET"
equal "and nothing in it is changed" "$before" "$(sums)"
rm "$secret"
refuse "without its device secret the TEE does not start, and makes no new one" "secret" \
	run_teed --store "$work/tee/store" --socket "$KEYWARD_SOCKET"
check "no new secret was made" test ! -e "$secret"
equal "and nothing in the store is changed" "$before" "$(sums)"

# A fresh store of another device does not open what the first sealed.
mkdir "$work/other-device"
chown "$tee_user" "$work/other-device"
spawn "$work/other.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" \
	--store "$work/other-device/store" --socket "$work/other-device/tee.sock"
other_pid=$spawned
wait_for 20 keyward --socket "$work/other-device/tee.sock" status
refuse "a sealed file of another device is not opened, and it says why" "another device" \
	keyward --socket "$work/other-device/tee.sock" key show "$work/sealed.pem"
stop_process "$other_pid"

install -p -o "$tee_user" -m 600 "$work/secret.kept" "$secret"
check "with its own secret everything opens again" tee_start
equal "with the same key" "$id" "$(keyward key show kept.test | grep -oE '[0-9a-f]{64}' | head -n 1)"
check "and the sealed one" keyward key show "$work/sealed.pem"
tee_stop

# Started by root for another user, everything made on the way: that user owns the store, and others reach the socket.
mkdir "$work/by-root"
chmod 755 "$work/by-root"
spawn "$work/by-root.log" "$kw_teed" --user "$tee_user" --store "$work/by-root/store" \
	--socket "$work/by-root/run/tee.sock"
by_root_pid=$spawned
wait_for 20 keyward --socket "$work/by-root/run/tee.sock" status
equal "a store made by root is the user's of the TEE" "$tee_user 700" "$(stat -c '%U %a' "$work/by-root/store")"
check "other users reach the socket in the directory that was made for it" \
	setpriv --reuid 60001 --regid 60001 --clear-groups -- "$(command -v keyward)" --socket "$work/by-root/run/tee.sock" status
stop_process "$by_root_pid"
equal "the TEE's last exit status" 0 $?
finish
