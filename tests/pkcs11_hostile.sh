#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The PKCS #11 module in the hands of hostile and careless programs, and between users who do not trust each other.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-hostile pkcs11-tool
. "$(dirname "$0")/pkcs11_steps.sh"
pkcs11_start

# Memory that was freed is not what it was.
export MALLOC_PERTURB_=165
check "threads, children and wrong calls leave the module whole" "$KW_BUILD/tests/pkcs11_hostile" "$module"
finish
