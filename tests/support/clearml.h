#ifndef SUPPORT_CLEARML_H
#define SUPPORT_CLEARML_H

/*
 * A ClearML server for tests of the engine, on the test's own loop: it logs
 * in, and gives the vaults it was told to. Include it after cmocka.h.
 */

#include "jwt.h"
#include "responder.h"

enum clearml_mood { CLEARML_WELL, CLEARML_REFUSES, CLEARML_FAILS };

struct clearml {
	struct responder responder;
	enum clearml_mood mood;
	const char *company;  /* of who logs in */
	const char *features; /* "basic" has no vaults */
	const char *message;  /* of an answer that is an error */
	const char *vaults;   /* of type config: JSON */
	unsigned int logins, polls;
	/* Called once, when it has been asked for vaults and has not answered
	 * yet; NULL: nothing happens meanwhile. */
	void (*meanwhile)(void *data);
	void *data;
};

static inline void clearml_plan_login(struct clearml *clearml)
{
	_cleanup_(mem_freep) char *claims = mem_printf(
		"{\"identity\":{\"user\":\"u1\",\"user_name\":\"Ada\","
		"\"company\":\"%s\",\"company_name\":\"Example\"},"
		"\"api_version\":\"2.31\",\"feature_set\":\"%s\"}",
		clearml->company, clearml->features);
	_cleanup_(mem_freep) char *token = jwt_make(claims);
	_cleanup_(mem_freep) char *data =
		mem_printf("{\"token\":\"%s\"}", token);

	clearml->logins++;
	responder_plan_data(&clearml->responder, data);
}

static inline void clearml_plan_vaults(struct clearml *clearml, bool config)
{
	_cleanup_(mem_freep) char *data =
		mem_printf("{\"vaults\":[%s]}", config ? clearml->vaults : "");

	clearml->polls += config;
	responder_plan_data(&clearml->responder, data);
}

static inline void clearml_meanwhile(struct clearml *clearml,
				     const char *request)
{
	void (*meanwhile)(void *data) = clearml->meanwhile;

	if (!meanwhile || !strstr(request, "/users.get_vaults"))
		return;
	clearml->meanwhile = NULL;
	meanwhile(clearml->data);
}

static inline void clearml_plan(struct responder *responder,
				const char *request)
{
	struct clearml *clearml =
		CONTAINER_OF(responder, struct clearml, responder);

	clearml_meanwhile(clearml, request);
	if (clearml->mood == CLEARML_REFUSES)
		responder_plan_error(responder, 401, 20, clearml->message);
	else if (clearml->mood == CLEARML_FAILS)
		responder_plan_error(responder, 500, 1, clearml->message);
	else if (strstr(request, "/auth.login"))
		clearml_plan_login(clearml);
	else if (strstr(request, "/users.get_vaults"))
		clearml_plan_vaults(clearml, strstr(request, "types=config"));
	else
		responder_plan_data(responder, "{}");
}

/* As responder_bind; then responder_listen. */
static inline int clearml_bind(struct clearml *clearml)
{
	int fd = responder_bind(&clearml->responder);

	clearml->responder.plan = clearml_plan;
	clearml->mood = CLEARML_WELL;
	clearml->company = "c1";
	clearml->features = "advanced";
	clearml->message = "no";
	clearml->vaults = "";
	return fd;
}

static inline void clearml_start(struct clearml *clearml, uv_loop_t *loop)
{
	int fd = clearml_bind(clearml);

	responder_listen(&clearml->responder, loop, fd);
}

#endif
