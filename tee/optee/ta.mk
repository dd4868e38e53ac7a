# SPDX-License-Identifier: BSD-2-Clause
# For the development kit, which reads sub.mk after this. Run by Makefile.
root := ../..
version := $(shell sed -n "s/^ *version: '\(.*\)',/\1/p" $(root)/meson.build)

# OP-TEE refuses a Trusted Application with a lower number than one that it has run.
CFG_TA_VERSION := $(shell echo $(version) | awk -F. '{ print $$1 * 10000 + $$2 * 100 + $$3 }')
# Errors only: the secure console is slow.
CFG_TEE_TA_LOG_LEVEL ?= 1
# Keyward's warnings instead of OP-TEE's.
WARNS := 0

# The headers of nettle and GMP, without the C library's beside them.
headers := $(O)/include
$(shell mkdir -p $(headers) && ln -sfn $(SYSROOT)/usr/include/nettle $(headers)/nettle && \
	ln -sfn $(firstword $(wildcard $(SYSROOT)/usr/include/*/gmp.h $(SYSROOT)/usr/include/gmp.h)) $(headers)/gmp.h)

empty :=
comma := ,
space := $(empty) $(empty)
creators := $(subst $(space),$(comma),$(strip 0 $(KEYWARD_CREATORS)))

include $(TA_DEV_KIT_DIR)/mk/ta_dev_kit.mk
