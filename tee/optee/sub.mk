# SPDX-License-Identifier: BSD-2-Clause
core := dispatch.c subject.c key_make.c key_manage.c key_request.c use.c attest.c attest_claims.c key.c key_record.c sealing.c object_record.c object_manage.c list_page.c token.c token_record.c token_pin.c token_manage.c token_login.c login.c policy.c session.c store.c \
	store_change.c store_replay.c store_rewrite.c store_log.c store_index.c key_type.c tls_message.c tls_transcript.c \
	foreign_message.c csr.c csr_names.c spki.c rsa_unpad.c secret_use.c derive.c wrap.c key_wrap.c kdf.c rsa_block.c \
	pkcs8.c
wire := cbor.c codec.c cose.c der.c
crypto := crypto_nettle.c crypto_nettle_key.c crypto_nettle_memory.c crypto_nettle_ec.c crypto_nettle_rsa.c \
	crypto_nettle_rsa_use.c crypto_nettle_agree.c crypto_nettle_secret.c

srcs-y += $(addprefix ../../core/,$(core)) $(addprefix ../../wire/,$(wire)) $(crypto)
srcs-y += ta_main.c session_optee.c platform_optee.c device_key.c random_optee.c object.c storage_optee.c storage_cache.c storage_room.c \
	protection_optee.c libc_stubs.c

global-incdirs-y += . ../.. ../../include
global-cppflags-y += -DKW_VERSION='"$(version)"' -DKW_CREATORS=$(creators) -DKW_PER_THREAD= \
	$(if $(filter y,$(KEYWARD_CRYPTO_INSTRUCTIONS)),-DKW_CRYPTO_INSTRUCTIONS) \
	$(if $(filter-out $(TA_DEV_KIT_DIR)/%,$(TA_SIGN_KEY)),,-DKW_SIGNED_BY_KIT)
cflags-y += -std=gnu17 -O2 -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion
# Others' headers are not ours to warn about.
cflags-y += -isystem $(ta-dev-kit-dir)/include -isystem $(headers)

libdirs += $(firstword $(wildcard $(SYSROOT)/usr/lib/aarch64-linux-gnu $(SYSROOT)/usr/lib))
# By file name: the shared ones are there as well.
libnames += :libhogweed.a :libnettle.a :libgmp.a
