/* SPDX-License-Identifier: BSD-2-Clause */
/* A Trusted Application that signs with OP-TEE's own cryptography, for comparison: what it is asked. */
#ifndef BENCH_OPTEE_BASELINE_H
#define BENCH_OPTEE_BASELINE_H

/* 2ad8fbbb-2f0a-4f36-9b9a-6a3c21cf4f5e */
#define BASELINE_UUID                                                  \
	{                                                              \
		0x2ad8fbbb, 0x2f0a, 0x4f36,                            \
		{                                                      \
			0x9b, 0x9a, 0x6a, 0x3c, 0x21, 0xcf, 0x4f, 0x5e \
		}                                                      \
	}
#define BASELINE_UUID_TEXT "2ad8fbbb-2f0a-4f36-9b9a-6a3c21cf4f5e"

/* The first parameter of each: a value, whose a is one of these. */
enum baseline_key {
	BASELINE_EC,  /* P-256, ECDSA with SHA-256 */
	BASELINE_RSA, /* 2048 bits, PSS with SHA-256 */
	BASELINE_ED,  /* Ed25519 */
	BASELINE_KEYS,
};

enum baseline_command {
	/* Makes the stored key, unless it is there. */
	BASELINE_MAKE = 1,
	/* The second parameter is an input memref with a digest of 32 bytes (Ed25519: a message of any
	 * length), the third an output memref for the signature. The key is open since the first use. */
	BASELINE_SIGN,
	/* The same, with the key opened for this signature and closed after it. */
	BASELINE_OPEN_AND_SIGN,
};

#endif
