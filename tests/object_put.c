/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores a certificate that everybody may read, as a program without the PKCS #11 module does: tests/pkcs11_certificates.sh
 *
 * usage: object_put CERTIFICATE.der
 */
#include <keyward/keyward.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
	static uint8_t value[KW_OBJECT_MAX];
	struct kw_object_template t = {
		.kind = KW_OBJECT_CERTIFICATE, .is_public = true, .value = value};
	struct kw_object *o = NULL;
	struct kw *kw = NULL;
	enum kw_err err;

	if (!f)
		return 2;
	t.value_len = fread(value, 1, sizeof(value), f);
	fclose(f);
	err = kw_new(NULL, &kw);
	if (!err)
		err = kw_object_put(kw, &t, &o);
	if (err)
		fprintf(stderr, "object_put: %s\n", kw_explain());
	kw_object_free(&o);
	kw_free(&kw);
	return err != 0;
}
