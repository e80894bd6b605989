#include "exec/section.h"

#include <stdlib.h>

#include "base/str.h"
#include "value/value.h"

/* The variable holds over what the configuration says. */
static enum section_wish say(const struct value *section, const char *key,
			     const char *variable)
{
	const char *text = getenv(variable);
	const struct value *value = value_get(section, str_from(key));
	bool said;

	if (text && str_to_bool(str_trim(str_from(text)), &said))
		return said ? SECTION_WANTED : SECTION_UNWANTED;
	if (!value || value->type == VALUE_NULL)
		return SECTION_UNSAID;
	return value_is_true(value) ? SECTION_WANTED : SECTION_UNWANTED;
}

enum section_wish section_wish(const struct value *tree,
			       const struct section_switch *by)
{
	enum section_wish sdk =
		say(value_get(tree, STR("sdk")), by->key, by->sdk);
	enum section_wish agent =
		say(value_get(tree, STR("agent")), by->key, by->agent);

	return sdk > agent ? sdk : agent;
}
