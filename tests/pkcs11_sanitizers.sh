#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The PKCS #11 module and libkeyward built with ThreadSanitizer, used by eight threads at once, and by threads and children; with
# KW_LONG=1 also with the sanitizers of addresses and undefined behaviour.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-sanitizers clang meson
[ -n "$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)" ] ||
	skip_all "pkcs11-sanitizers: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# A child of fork does not have its parent's threads, and cannot join them.
export TSAN_OPTIONS=halt_on_error=1:die_after_fork=0:report_thread_leaks=0

# built SANITIZERS: in $work/ the first of them
built()
{
	local build=$work/${1%%,*}
	CC=clang meson setup "$build" "$top" -Db_sanitize="$1" -Db_lundef=false &&
		meson compile -C "$build" -j 2 pkcs11_two_processes pkcs11_states pkcs11_hostile keyward-pkcs11
}

# with SANITIZERS PROGRAM ARGUMENT…: of that build, and its libkeyward
with()
{
	local build=$work/${1%%,*} program=$2
	shift 2
	LD_LIBRARY_PATH=$build/client "$build/tests/$program" "$build/frontends/pkcs11/keyward-pkcs11.so" "$@"
}

all=(thread)
[ "$KW_LONG" = 0 ] || all+=("address,undefined")
for sanitizers in "${all[@]}"; do
	check "$sanitizers: the module is built" built "$sanitizers"
	check "$sanitizers: eight threads make, find, use and destroy the same objects" with "$sanitizers" pkcs11_two_processes 5 1 8
	check "$sanitizers: calls at any time, in any state, by threads and children" with "$sanitizers" pkcs11_states
	check "$sanitizers: the end, forks and closed sessions in the middle of calls" with "$sanitizers" pkcs11_hostile
done
finish
