#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Deadlines of a process while tee-supplicant hangs.
. "${0%/*}/lib"

exec "$tests/board_hang" "$(pidof tee-supplicant)"
