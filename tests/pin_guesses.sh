#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Guesses of a PIN, in batches, with restarts and kill -9 of keyward-teed in the middle of them: never more tries than the
# limit. 2,000 guesses; KW_LONG=1: 100,000.
. "$(dirname "$0")/lib.sh"
scenario pin-guesses
guesses=2000
[ "$KW_LONG" = 0 ] || guesses=100000
install -d -o daemon -g "$(id -g daemon)" -m 700 "$work/guesses"
cp "$KW_BUILD/tests/pin_guesses" "$work/guess" && chmod 755 "$work/guess"
seed=${KW_SEED:-$RANDOM}
if as daemon "$work/guess" "$kw_teed" "$work/guesses" "$guesses" "$seed" >"$work/out" 2>"$work/log"; then
	ok "$guesses guesses, none more than the limit: $(cat "$work/out")"
else
	not_ok "$guesses guesses (KW_SEED=$seed): $(cat "$work/out")"
	show_file "$work/log"
fi
finish
