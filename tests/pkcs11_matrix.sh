#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every function of the PKCS #11 module in every state, with every mechanism, and templates and sizes of every kind.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-matrix
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "pkcs11-matrix: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"

check "each answers what the standard says, and nothing else changes" "$KW_BUILD/tests/pkcs11_matrix" "$module"
sed 's/^not ok/# not ok/' "$work/check.out" | grep '^# not ok'
check "the TEE is well" keyward status
equal "and has no key left over" "" "$(keyward key list 2>/dev/null | grep -v ^NAME)"
finish
