/* SPDX-License-Identifier: BSD-2-Clause */
/* The PKCS #11 module on a real core in the same process, and calls whose arguments come from the fuzzer. */
#ifndef FUZZ_PKCS11_TEE_H
#define FUZZ_PKCS11_TEE_H

#include <stdlib.h>

#include "frontends/pkcs11/cryptoki.h"
#include "wire/codec.h"

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* An empty TEE, and the module initialized with it. */
void pkcs11_start(void);
void pkcs11_stop(void);

/* --- Arguments: each in memory of its own that is as long as it says, so that a sanitizer sees more being used --- */

#define ATTRIBUTES_MAX 24
#define VALUE_MAX 4096 /* bytes */

/* Memory that lives until pkcs11_free. */
void *pkcs11_alloc(size_t n);
void pkcs11_free(void);
/* u16 length and bytes. With the length's highest bit there is no memory, only a length. */
unsigned char *pkcs11_bytes(struct reader *r, CK_ULONG *len);
/* One of those that mean something, by its number, or any. */
CK_ULONG pkcs11_number(struct reader *r);
/* u8 count, and as many attributes: type, kind of value, value */
CK_ATTRIBUTE *pkcs11_template(struct reader *r, CK_ULONG *count);

/* --- Answers --- */

/* No answer that means that the module asked the TEE for nonsense, or that libcrypto failed. */
void pkcs11_check(CK_RV rv);
/* And of a call that writes: within the room that it had. */
void pkcs11_check_output(CK_RV rv, const unsigned char *out, CK_ULONG room, CK_ULONG len);

#endif
