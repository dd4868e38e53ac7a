/* SPDX-License-Identifier: BSD-2-Clause */
/* A key file that is accepted is written again byte for byte: it has one form only. */
#include <stdlib.h>
#include <string.h>

#include "keyward/keyward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kw_reference *ref;
	uint8_t *again;
	size_t len;

	if (kw_reference_parse(data, size, &ref)) {
		if (ref || !kw_explain()[0])
			abort();
		return 0;
	}
	again = malloc(KW_REFERENCE_MAX);
	if (!again || kw_reference_encode(ref, again, &len) || len != size ||
		memcmp(again, data, len) != 0)
		abort();
	free(again);
	kw_reference_free(&ref);
	return 0;
}
