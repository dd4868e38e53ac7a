#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One process with threads, children, executed programs and changing users, and its connections to OP-TEE.
. "${0%/*}/lib"

exec "$tests/board_processes"
