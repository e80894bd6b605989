#include "base/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/mem.h"

#define BYTE_ORDER_MARK STR("\xEF\xBB\xBF")
#define MARK_BYTES      ((size_t)512)

static int adopt(struct source *source, struct diag *diag)
{
	size_t invalid;

	source->marked = str_starts(source->text, BYTE_ORDER_MARK);
	if (source->marked)
		source->text =
			str_from_offset(source->text, BYTE_ORDER_MARK.len);
	invalid = str_utf8_invalid(source->text);
	if (invalid == source->text.len)
		return 0;
	diag_at(diag, source, invalid, "byte 0x%02x is not valid UTF-8",
		(unsigned char)source->text.ptr[invalid]);
	return SOURCE_E_BROKEN;
}

int source_from_text(struct source *source, struct arena *arena,
		     const char *name, struct str text, struct diag *diag)
{
	*source = (struct source){
		.name = arena_strdup(arena, name),
		.text = arena_str(arena, text),
		.arena = arena,
	};
	return adopt(source, diag);
}

/* A socket cannot be opened, nor a folder without the right to: still they
 * are there and no file. */
static bool is_no_file(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && !S_ISREG(st.st_mode);
}

static int no_file(struct source *source, int error, struct diag *diag)
{
	if (error == ENOENT || error == ENOTDIR || is_no_file(source->name))
		return SOURCE_E_MISSING;
	diag_set(diag, source->name, "cannot be read: %s", strerror(error));
	return SOURCE_E_BROKEN;
}

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size) {
		n = read(fd, text + used, size - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* The file may grow or shrink while it is read: what read() gives counts. */
static int read_text(struct source *source, int fd, size_t size,
		     struct diag *diag)
{
	char *text = arena_alloc(source->arena, size + 1);
	ssize_t n = read_all(fd, text, size);

	if (n < 0)
		return no_file(source, errno, diag);
	text[n] = '\0';
	source->text = (struct str){text, (size_t)n};
	return adopt(source, diag);
}

static void stamp(struct source *source, const struct stat *seen)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	file_stamp_from(&source->stamp, seen);
	if (!file_stamp_is_settled(&source->stamp, now))
		source->stamp = (struct file_stamp){0};
}

bool source_is_current(const struct source *source)
{
	struct file_stamp now;

	if (!source->stamp.inode)
		return false;
	file_stamp_of(&now, source->name);
	return file_stamp_equal(&now, &source->stamp);
}

int source_from_file(struct source *source, struct arena *arena,
		     const char *name, size_t limit, struct diag *diag)
{
	/* O_NONBLOCK: a FIFO in the place of the file must not hang us. */
	_cleanup_(file_closep) int fd =
		open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	*source = (struct source){
		.name = arena_strdup(arena, name),
		.text = STR(""),
		.arena = arena,
	};
	if (fd < 0 || fstat(fd, &st) < 0)
		return no_file(source, errno, diag);
	if (!S_ISREG(st.st_mode))
		return SOURCE_E_MISSING;
	if ((uintmax_t)st.st_size > limit) {
		diag_set(diag, name, "is larger than the limit of %zu bytes",
			 limit);
		return SOURCE_E_BROKEN;
	}
	stamp(source, &st);
	return read_text(source, fd, (size_t)st.st_size, diag);
}

/* Offset just after the line end at or after @at; the text's length at last. */
static size_t next_line(struct str text, size_t at)
{
	for (; at < text.len; at++) {
		if (text.ptr[at] == '\n')
			return at + 1;
		if (text.ptr[at] == '\r')
			return at +
			       (at + 1 < text.len && text.ptr[at + 1] == '\n') +
			       1;
	}
	return text.len;
}

static bool ends_line(struct str text, size_t at)
{
	return at && (text.ptr[at - 1] == '\n' || text.ptr[at - 1] == '\r');
}

static void find_lines(struct source *source)
{
	struct str text = source->text;
	size_t at;
	uint32_t lines = 1;

	for (at = next_line(text, 0); at < text.len; at = next_line(text, at))
		lines++;
	lines += ends_line(text, text.len);
	source->line_starts =
		arena_alloc(source->arena, lines * sizeof(uint32_t));
	for (uint32_t i = 1; i < lines; i++)
		source->line_starts[i] =
			(uint32_t)next_line(text, source->line_starts[i - 1]);
	source->lines = lines;
}

/* Index of the line that holds @offset. */
static uint32_t line_at(struct source *source, size_t offset)
{
	uint32_t low = 0, high, middle;

	if (!source->line_starts)
		find_lines(source);
	high = source->lines;
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (source->line_starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static size_t characters(const struct source *source, size_t from, size_t to)
{
	return str_utf8_length(
		(struct str){source->text.ptr + from, to - from});
}

/* JSON written by a program is one line: whoever asks for each of its values
 * must not count all that is before it each time. */
static void set_marks(struct source *source)
{
	size_t count = source->text.len / MARK_BYTES + 1;

	source->marks =
		arena_alloc(source->arena, count * sizeof(*source->marks));
	for (size_t i = 1; i < count; i++)
		source->marks[i] =
			source->marks[i - 1] +
			(uint32_t)characters(source, (i - 1) * MARK_BYTES,
					     i * MARK_BYTES);
}

/* Characters before @offset. */
static size_t characters_before(const struct source *source, size_t offset)
{
	size_t mark = offset / MARK_BYTES;

	return source->marks[mark] +
	       characters(source, mark * MARK_BYTES, offset);
}

static size_t column_at(struct source *source, size_t start, size_t offset)
{
	if (offset - start < 2 * MARK_BYTES)
		return characters(source, start, offset) + 1;
	if (!source->marks)
		set_marks(source);
	return characters_before(source, offset) -
	       characters_before(source, start) + 1;
}

struct pos source_pos(struct source *source, size_t offset)
{
	uint32_t line = line_at(source, offset);
	size_t column = column_at(source, source->line_starts[line], offset);

	return (struct pos){line + 1, (uint32_t)column};
}

void source_freeze(struct source *source)
{
	if (!source->line_starts)
		find_lines(source);
	if (!source->marks)
		set_marks(source);
}

struct str source_line(struct source *source, size_t offset)
{
	uint32_t line = line_at(source, offset);
	const char *text = source->text.ptr;
	size_t start = source->line_starts[line], end = source->text.len;

	if (line + 1 < source->lines)
		end = source->line_starts[line + 1];
	while (end > start && (text[end - 1] == '\n' || text[end - 1] == '\r'))
		end--;
	return (struct str){text + start, end - start};
}
