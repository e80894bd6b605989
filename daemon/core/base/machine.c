#include "base/machine.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/private_file.h"
#include "base/sha256.h"
#include "base/source.h"

#define OWN_FILE "machine-id"

/* Ids have so many bytes, whose text is twice as long. */
#define ID_BYTES ((size_t)16)

/* Drawn once for this program: c1ea4c04-f1ee-4d0f-9b5e-6d0f2c3a7e11. */
static const char application[ID_BYTES] =
	"\xc1\xea\x4c\x04\xf1\xee\x4d\x0f\x9b\x5e\x6d\x0f\x2c\x3a\x7e\x11";

static bool is_zero(const unsigned char bytes[ID_BYTES])
{
	static const unsigned char zero[ID_BYTES];

	return memcmp(bytes, zero, sizeof(zero)) == 0;
}

/* NULL, or why the file @path holds no id. */
static const char *read_id(const char *path, unsigned char bytes[ID_BYTES])
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct source source;
	struct str text;
	int r = source_from_file(&source, &arena, path, 4096, NULL);

	if (r == SOURCE_E_MISSING)
		return "there is no such file";
	if (r)
		return "it cannot be read";
	text = str_trim(source.text);
	if (!text.len)
		return "it is empty";
	if (str_is(text, "uninitialized"))
		return "it is not initialized yet";
	if (!str_read_hex(text, bytes, ID_BYTES) || is_zero(bytes))
		return "it is not 32 hexadecimal digits";
	return NULL;
}

/* The marks of a version 4 UUID, as systemd sets them. */
static void set_id(struct machine *machine, unsigned char digest[SHA256_BYTES])
{
	digest[6] = (unsigned char)((digest[6] & 0x0f) | 0x40);
	digest[8] = (unsigned char)((digest[8] & 0x3f) | 0x80);
	sha256_write_hex(digest, ID_BYTES, machine->id);
}

bool machine_from_file(struct machine *machine, const char *path,
		       const char **lack)
{
	unsigned char digest[SHA256_BYTES];
	struct hmac_sha256 mac;
	unsigned char bytes[ID_BYTES];

	*lack = read_id(path, bytes);
	if (*lack)
		return false;
	hmac_sha256_init(&mac,
			 (struct str){(const char *)bytes, sizeof(bytes)});
	hmac_sha256_add(&mac, (struct str){application, sizeof(application)});
	hmac_sha256_end(&mac, digest);
	explicit_bzero(bytes, sizeof(bytes));
	set_id(machine, digest);
	return true;
}

static bool read_own(int dir, const char *path, unsigned char bytes[ID_BYTES])
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const struct private_file file = {
		.dir = dir,
		.name = OWN_FILE,
		.path = path,
		.what = "machine id",
		.limit = 4096,
	};

	return private_file_read(&file, &text, NULL) == 0 &&
	       str_read_hex(str_trim(buf_str(&text)), bytes, ID_BYTES);
}

static int make_own(struct machine *machine, int dir)
{
	_cleanup_(mem_freep) char *line = NULL;
	unsigned char drawn[SHA256_BYTES];

	if (getrandom(drawn, sizeof(drawn), 0) != sizeof(drawn))
		return -errno;
	set_id(machine, drawn);
	line = mem_printf("%s\n", machine->id);
	return file_replace(dir, OWN_FILE, str_from(line), 0600);
}

/* The id of chance, of an earlier day or made now; 0 or a negative errno. */
static int learn_own(struct machine *machine, const char *state_dir,
		     bool may_write)
{
	_cleanup_(mem_freep) char *path = mem_printf("%s/" OWN_FILE, state_dir);
	/* It may be reached by a link. */
	_cleanup_(mem_freep) char *folder = mem_printf("%s/.", state_dir);
	_cleanup_(file_closep) int dir = private_folder_open(folder, false);
	unsigned char bytes[ID_BYTES];

	if (dir < 0)
		return dir;
	if (!read_own(dir, path, bytes))
		return may_write ? make_own(machine, dir) : -EROFS;
	sha256_write_hex(bytes, ID_BYTES, machine->id);
	return 0;
}

static void learn_by_name(struct machine *machine)
{
	unsigned char digest[SHA256_BYTES];
	char name[HOST_NAME_MAX + 1] = {0};
	struct sha256 hash;

	(void)gethostname(name, sizeof(name) - 1);
	sha256_init(&hash);
	sha256_add(&hash, (struct str){application, sizeof(application)});
	sha256_add(&hash, str_from(name));
	sha256_end(&hash, digest);
	set_id(machine, digest);
}

void machine_learn(struct machine *machine, const char *path,
		   const char *state_dir, bool may_write)
{
	const char *lack;
	int r = -ENOENT;

	if (machine_from_file(machine, path, &lack))
		return;
	if (state_dir)
		r = learn_own(machine, state_dir, may_write);
	if (r < 0)
		learn_by_name(machine);
	log_warning("no-machine-id", LOG_TEXT("file", path),
		    LOG_TEXT("reason", lack),
		    LOG_TEXT("instead", r < 0 ? "the host's name"
					      : "an id in the state folder"));
}
