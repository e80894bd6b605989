#include "config/layer_edit.h"

#include <stddef.h>

#include "base/mem.h"

static const char *copy_of(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

struct layer_edit layer_edit_copy(const struct layer_edit *edit)
{
	return (struct layer_edit){
		.scope = copy_of(edit->scope),
		.owner = copy_of(edit->owner),
		.last_update = copy_of(edit->last_update),
		.revision = edit->revision,
	};
}

void layer_edit_deinit(struct layer_edit *edit)
{
	mem_free((char *)edit->scope);
	mem_free((char *)edit->owner);
	mem_free((char *)edit->last_update);
	*edit = (struct layer_edit){0};
}
