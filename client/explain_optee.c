/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain_optee.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tee_client.h"
#include "wire/optee.h"

/* As many as libteec tries. */
#define DEVICES 10
/* TEE_ERROR_CORRUPT_OBJECT of the TEE Internal Core API: OP-TEE looks for an application's version in its storage. */
#define CORRUPT_OBJECT 0xf0100001

static enum kw_err explain_no_device(const struct kw *kw)
{
	if (root_has_changed(kw))
		return explain(KW_ERR_NO_TEE,
			"there is no /dev/tee0: this program has changed its root directory "
			"(chroot), and the device must be inside");
	return explain(KW_ERR_NO_TEE,
		"this machine has no /dev/tee0; load OP-TEE's driver: modprobe optee (if that "
		"does not make one, the firmware has no OP-TEE)");
}

static enum kw_err explain_denied(const char *path, const struct stat *st)
{
	char who[CALLER_TEXT_SIZE];
	char group[64];

	caller_text(who, sizeof(who));
	if (st->st_gid != 0 && (st->st_mode & 0060) == 0060 &&
		group_name(st->st_gid, group, sizeof(group)))
		return explain(KW_ERR_NO_PERMISSION,
			"%s may not use %s; it is open to the group '%s': usermod --append "
			"--groups %s USER",
			who, path, group, group);
	return explain(KW_ERR_NO_PERMISSION,
		"%s may not use %s; a udev rule gives it to a group: KERNEL==\"tee[0-9]*\", "
		"MODE=\"0660\", GROUP=\"teeclnt\"",
		who, path);
}

enum kw_err explain_device(const struct kw *kw, uint32_t result)
{
	char path[32];
	struct stat st;
	int fd;

	for (unsigned i = 0; i < DEVICES; i++) {
		snprintf(path, sizeof(path), "/dev/tee%u", i);
		if (stat(path, &st))
			continue;
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			continue;
		}
		if (errno == EACCES || errno == EPERM)
			return explain_denied(path, &st);
		if (errno == EMFILE || errno == ENFILE)
			return explain(KW_ERR_SYSTEM,
				"%s cannot be opened: %s; raise the limit of open files (ulimit "
				"-n)",
				path, strerror(errno));
		return explain(KW_ERR_NO_TEE, "%s cannot be opened: %s", path, strerror(errno));
	}
	if (stat("/dev/tee0", &st))
		return explain_no_device(kw);
	return explain(KW_ERR_NO_TEE,
		"OP-TEE's client library cannot use /dev/tee0 (error 0x%08x); is it OP-TEE's?",
		result);
}

enum kw_err explain_shared_memory(uint32_t result)
{
	return explain(KW_ERR_BUSY,
		"there is no memory to share with OP-TEE (error 0x%08x); try again, or use fewer "
		"connections at a time",
		result);
}

static bool is_supplicant(const char *pid)
{
	char path[300];
	char comm[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, comm, sizeof(comm) - 1);
	close(fd);
	return n > 0 && strncmp(comm, "tee-supplicant", 14) == 0;
}

bool supplicant_runs(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool sees_others = false;
	bool runs = false;

	if (!proc)
		return true;
	while (!runs && (e = readdir(proc))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		/* A PID namespace, or hidepid=, hides processes: number 1 is always there. */
		sees_others |= strcmp(e->d_name, "1") == 0;
		runs = is_supplicant(e->d_name);
	}
	closedir(proc);
	return runs || !sees_others;
}

static enum kw_err explain_supplicant(void)
{
	if (!supplicant_runs())
		return explain(KW_ERR_NO_TEE,
			"tee-supplicant does not run, and without it OP-TEE finds neither its "
			"Trusted Applications nor its storage; start it: systemctl start "
			"tee-supplicant");
	return explain(KW_ERR_NO_TEE,
		"OP-TEE cannot talk to tee-supplicant; see: systemctl status tee-supplicant");
}

/* What a Trusted Application that will not open answers is for people who can read its log. */
static enum kw_err explain_application(uint32_t result)
{
	if (result == TEEC_ERROR_ACCESS_DENIED)
		return explain(KW_ERR_NO_PERMISSION,
			"Keyward's Trusted Application does not accept this process: OP-TEE's "
			"driver does not vouch for its user; Linux 5.8 and later do");
	return explain(KW_ERR_NO_TEE,
		"Keyward's Trusted Application does not start (error 0x%08x); see OP-TEE's log, "
		"on the secure world's serial port",
		result);
}

enum kw_err explain_session(const struct kw *kw, uint32_t result, uint32_t origin)
{
	(void)kw;
	switch (result) {
	case TEEC_ERROR_BUSY:
	case TEEC_ERROR_OUT_OF_MEMORY:
		return explain(KW_ERR_BUSY,
			"OP-TEE has no %s for another connection; try again, or use fewer at a "
			"time",
			result == TEEC_ERROR_BUSY ? "room" : "secure memory");
	case TEEC_ERROR_COMMUNICATION:
		return explain_supplicant();
	default:
		break;
	}
	if (origin == TEEC_ORIGIN_TRUSTED_APP)
		return explain_application(result);
	switch (result) {
	case TEEC_ERROR_ITEM_NOT_FOUND:
		if (!supplicant_runs())
			return explain_supplicant();
		return explain(KW_ERR_NO_TEE,
			"OP-TEE does not find Keyward's Trusted Application; install %s.ta in "
			"/lib/optee_armtz",
			OPTEE_TA_UUID_TEXT);
	case TEEC_ERROR_SECURITY:
	case TEEC_ERROR_BAD_FORMAT:
		return explain(KW_ERR_NO_TEE,
			"OP-TEE does not accept Keyward's Trusted Application (error 0x%08x): "
			"/lib/optee_armtz/%s.ta is damaged, older than one that ran before, or "
			"signed with a key that this machine does not trust; or OP-TEE's storage "
			"is damaged (/var/lib/optee-client/data/tee)",
			result, OPTEE_TA_UUID_TEXT);
	case CORRUPT_OBJECT:
		return explain(KW_ERR_NO_TEE, "OP-TEE's storage is damaged, so it starts no "
					      "Trusted Application; " OPTEE_DAMAGED);
	case TEEC_ERROR_TARGET_DEAD:
		return explain(KW_ERR_NO_TEE, "Keyward's Trusted Application ended while it "
					      "started; see OP-TEE's log, on "
					      "the secure world's serial port");
	default:
		return explain(KW_ERR_NO_TEE,
			"OP-TEE cannot start Keyward's Trusted Application (error 0x%08x from %u); "
			"see OP-TEE's log, on the secure world's serial port",
			result, origin);
	}
}

enum kw_err explain_slow(const struct deadline *d, bool opening)
{
	const char *what =
		opening ? "did not open Keyward's Trusted Application" : "did not answer";

	unsigned waited = d->timeout_ms - deadline_left(d);

	/* A call may have been carried out: that it is late must not be lost. */
	if (!supplicant_runs())
		return explain(opening ? KW_ERR_NO_TEE : KW_ERR_TIMEOUT,
			"OP-TEE %s within %u ms, because tee-supplicant does not run; start it: "
			"systemctl start tee-supplicant (it may not be able to while programs "
			"wait for OP-TEE)",
			what, waited);
	return explain(KW_ERR_TIMEOUT,
		"OP-TEE %s within %u ms; it serves one call at a time, and waits for "
		"tee-supplicant: systemctl status tee-supplicant",
		what, waited);
}

enum kw_err explain_stuck(unsigned n)
{
	if (!supplicant_runs())
		return explain_supplicant();
	return explain(KW_ERR_BUSY,
		"%u earlier calls of this process still wait for OP-TEE; see: systemctl status "
		"tee-supplicant",
		n);
}
