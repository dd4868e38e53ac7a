#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OP-TEE's storage without room, put back from a copy, and damaged: each of its files with a byte changed, cut short, or
# gone. Then the keys are either all there, or refused with what to do, and back with the copy; never some of them, and
# never a store that looks new.
# usage: KW_QEMU_BUILD=build-qemu tests/optee_storage.sh     after tools/qemu/build
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/optee_steps.sh"
board_scenario optee-storage
mkdir "$share"
tee=/disk/optee/data/tee
says_damaged="storage is damaged|has stored is damaged"

keyward() { guest keyward --tee optee "$@"; }
names() { keyward key list --names 2>&1 | sort | paste -sd ' '; }
signs() { keyward key csr "$1" --subject /CN=a.example; }
# stopped COMMAND: on the board, while tee-supplicant does not run
stopped() { guest sh -c "kill \$(pidof tee-supplicant); while pidof tee-supplicant >/dev/null; do usleep 50000; done; $1; sync"; }
copy_back() { stopped "rm -rf $tee; cp -a /disk/$1 $tee"; }
boot_again() { power_off && boot; }
# With damaged storage OP-TEE may start no application.
boot_damaged() { power_off && boot_only; }

check "the board boots" boot
[ "$failed" = 0 ] || { show_file "$work/board.log"; finish; }

# --- No room ---

for key in a b c; do
	check "key $key is made" keyward key generate "$key" --type ec-p256 --purpose sign,csr
done
guest sh -c 'dd if=/dev/zero of=/disk/filler bs=4096; sync' >"$work/filler" 2>&1
check "the disk is full" grep -qi 'no space' "$work/filler"
made="a b c"
for n in 1 2 3 4 5 6 7 8; do
	keyward key generate "full-$n" --type rsa-2048 >"$work/full" 2>&1 || break
	made="$made full-$n"
done
check "then there is an error that names the room" grep -qE 'has its disk room|disk .* is full' "$work/full"
equal "no key is lost, and none half made" "$made" "$(names)"
check "the keys sign" signs b
refuse "a key cannot be made" "room|full" keyward key generate full-again --type rsa-2048
guest rm /disk/filler
check "with room again one is" keyward key generate again --type ed25519 --purpose sign
check "and another is deleted" keyward key delete c --yes
made=$(names)
equal "all of them are known" "$(xargs -n 1 <<<"$made again" | sort -u | xargs)" "$made"
check "it boots again" boot_again
equal "they are there then too" "$made" "$(names)"
check "and sign" signs b

# --- An older copy ---

stopped "cp -a $tee /disk/old"
check "it boots again" boot_again
check "a key is made after the copy" keyward key generate after --type ed25519 --purpose sign
stopped "cp -a $tee /disk/new; rm -rf $tee; cp -a /disk/old $tee"
check "it boots with the older copy" boot_again
equal "an older copy is the store as it was" "$made" "$(names)"
check "status says that this is possible" grep -qE 'rollback.*(missing|not)' "$work/first"
copy_back new
check "it boots with the newer copy" boot_again
made=$(xargs -n 1 <<<"$made after" | sort | xargs)
equal "and has all keys" "$made" "$(names)"

# --- Damage ---

# damage WHAT COMMAND: then either all keys are there and sign, or they are refused
damage()
{
	local what=$1 found
	stopped "rm -rf $tee; cp -a /disk/new $tee; $2"
	check "it boots with $what" boot_damaged
	found=$(names)
	if [ "$found" = "$made" ]; then
		check "with $what a key signs" signs b
		echo "# $what: not needed"
	else
		refuse "with $what the keys are refused" "$says_damaged" keyward key list
		refuse "and none is made" "$says_damaged" keyward key generate new
		refuse "and none signs" "$says_damaged" signs b
		echo "# $what: $found"
	fi
	[ "$KW_LONG" = 0 ] || undamaged
}
undamaged()
{
	copy_back new
	check "it boots with the copy of before" boot_again
	equal "and all keys are back" "$made" "$(names)"
}

# The largest file is the log; dirf.db is OP-TEE's list of its files.
files=$(guest ls -S "$tee" | grep -v dirf.db | head -n 1)
places=(0)
if [ "$KW_LONG" = 1 ]; then
	files=$(guest ls "$tee")
	places=(0 100 300 4096 5000 8192 9000 12000 16384)
fi
# shellcheck disable=SC2016  # it expands on the board
change='at() { printf "\\$(printf %o $(($(dd if=$1 bs=1 skip=$2 count=1 2>/dev/null | od -An -tu1) ^ 1)))" | dd of=$1 bs=1 seek=$2 conv=notrunc 2>/dev/null; }'
for file in $files; do
	size=$(guest stat -c %s "$tee/$file")
	for place in "${places[@]}"; do
		[ "$place" -lt "$size" ] || continue
		damage "$file changed at $place" "$change; at $tee/$file $place"
	done
	[ "$file" = dirf.db ] || damage "$file gone" "rm $tee/$file"
done
damage "dirf.db cut short" "truncate -s 4096 $tee/dirf.db"
undamaged
power_off
finish
