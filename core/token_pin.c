/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PINs. What is kept of one is PBKDF2 (RFC 8018, 5.2) under a key that only this device can derive: who has a
 * copy of the store alone cannot try PINs at all, and who has the device's secret as well pays for each try.
 */
#include <string.h>

#include "token.h"

#define ITERATIONS 2048

/* HMAC of what the PIN is for, and of the PIN: the password of PBKDF2. */
static enum kw_err pin_key(const struct token *t, enum wire_token_user user,
	struct crypto_bytes pin, uint8_t key[CRYPTO_KEY_SIZE])
{
	const uint8_t what[2] = {t->slot, (uint8_t)user};
	const struct crypto_bytes parts[] = {{what, sizeof(what)}, {t->id, sizeof(t->id)}, pin};
	uint8_t device[DEVICE_KEY_SIZE];
	enum kw_err err = platform_device_key("keyward pin v1", device);

	if (!err)
		err = crypto_hmac(device, parts, 3, key);
	platform_wipe(device, sizeof(device));
	return err;
}

static enum kw_err derive(const struct token *t, enum wire_token_user user, const uint8_t *salt,
	struct crypto_bytes pin, uint8_t out[PIN_VERIFIER_SIZE])
{
	static const uint8_t first_block[4] = {0, 0, 0, 1};
	struct crypto_bytes parts[] = {{salt, PIN_SALT_SIZE}, {first_block, sizeof(first_block)}};
	uint8_t key[CRYPTO_KEY_SIZE], u[PIN_VERIFIER_SIZE];
	enum kw_err err = pin_key(t, user, pin, key);

	if (!err)
		err = crypto_hmac(key, parts, 2, u);
	if (err)
		goto out;
	memcpy(out, u, sizeof(u));
	parts[0] = (struct crypto_bytes){u, sizeof(u)};
	for (unsigned i = 1; !err && i < ITERATIONS; i++) {
		err = crypto_hmac(key, parts, 1, u);
		for (size_t b = 0; b < sizeof(u); b++)
			out[b] ^= u[b];
	}
out:
	if (err)
		platform_wipe(out, PIN_VERIFIER_SIZE);
	platform_wipe(key, sizeof(key));
	platform_wipe(u, sizeof(u));
	return err;
}

enum kw_err pin_set(struct token *t, enum wire_token_user user, struct crypto_bytes pin)
{
	struct pin *p = &t->pins[user - 1];
	enum kw_err err;

	if (pin.n < WIRE_PIN_MIN || pin.n > WIRE_PIN_MAX)
		return KW_ERR_BAD_REQUEST;
	err = platform_random(p->salt, sizeof(p->salt));
	if (!err)
		err = derive(t, user, p->salt, pin, p->verifier);
	p->is_set = !err;
	p->tries = WIRE_PIN_TRIES;
	return err;
}

enum kw_err pin_try(
	struct core *core, struct token *t, enum wire_token_user user, struct crypto_bytes pin)
{
	struct pin *p = &t->pins[user - 1];
	uint8_t verifier[PIN_VERIFIER_SIZE];
	enum kw_err err;

	if (!p->is_set || !p->tries)
		return KW_ERR_PIN_LOCKED;
	p->tries--;
	err = token_keep(core, t, false);
	if (err)
		return err;
	err = derive(t, user, p->salt, pin, verifier);
	if (!err && !crypto_equal(verifier, p->verifier, sizeof(verifier))) {
		atomic_fetch_add(&core->refusals, 1);
		err = KW_ERR_PIN;
	}
	if (!err)
		p->tries = WIRE_PIN_TRIES;
	platform_wipe(verifier, sizeof(verifier));
	/* Dispatch runs a command again that found no memory: that would be another try. */
	return err == KW_ERR_NO_MEMORY ? KW_ERR_LIMIT : err;
}
