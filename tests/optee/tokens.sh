#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Tokens with PINs in the Trusted Application, by the command line: made, guessed at, unlocked, and deleted. What a login opens
# is in core/test_tokens.c (live.sh).
. "${0%/*}/lib"
export KEYWARD_TEE=optee
umask 077
says() { grep -qE -- "$1" "$work/out"; }
for pin in so:87654321 user:4711 wrong:0000 new:08150815; do
	echo "${pin#*:}" >"$work/${pin%:*}"
done

check "a token is made" keyward token init 1 --label board --pin-file "$work/so"
check "the security officer sets the PIN" keyward token unlock 1 --pin-file "$work/so" --new-pin-file "$work/user"
check "the user logs in" keyward token objects 1 --pin-file "$work/user"
for i in 1 2 3 4 5 6 7 8 9 10; do
	refuse "wrong PIN number $i" "is wrong" keyward token objects 1 --pin-file "$work/wrong"
done
refuse "after ten wrong ones the right one is refused" "is locked" keyward token objects 1 --pin-file "$work/user"
keyward token list >"$work/out"
check "keyward says that it is locked" says '^1 +board .* locked '
check "the security officer unlocks it" keyward token unlock 1 --pin-file "$work/so" --new-pin-file "$work/new"
check "with another PIN" keyward token objects 1 --pin-file "$work/new"
refuse "the old one is wrong" "is wrong" keyward token set-pin 1 --pin-file "$work/user" --new-pin-file "$work/wrong"
check "the user changes it" keyward token set-pin 1 --pin-file "$work/new" --new-pin-file "$work/user"
refuse "other users get no try" "may not log in" as alice sh -c "echo 4711 >/home/alice/pin; chmod 600 /home/alice/pin
	keyward --tee optee token objects 1 --pin-file /home/alice/pin"
check "the token is deleted" keyward token delete 1 --yes
refuse "and gone" "no token in slot 1" keyward token objects 1
finish
