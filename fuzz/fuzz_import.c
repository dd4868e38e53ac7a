/* SPDX-License-Identifier: BSD-2-Clause */
/* Key files as people give them to `keyward key import`: PEM and DER, encrypted ones with a right passphrase. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "key_file.h"

static int ask(void *context, char *buf, int size)
{
	(void)context;
	(void)size;
	memcpy(buf, "secret", 6);
	return 6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_material m;

	if (key_file_read(data, size, ask, NULL, &m)) {
		/* What is accepted must be whole, whatever the input was. */
		if (!m.type || !m.len || m.len > sizeof(m.bytes) ||
			!key_material_is(&m, m.spki, m.spki_len))
			abort();
	} else if (!m.problem[0] || strlen(m.problem) >= sizeof(m.problem)) {
		abort();
	}
	key_material_wipe(&m);
	return 0;
}
