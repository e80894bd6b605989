/* Eight threads, each with a handle and a watch of its own: what they share is
 * the library's code and the daemon. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "clearconf.h"

#define THREADS 8
#define ROUNDS  200

static const char *daemon_socket;

static int ask(struct clearconf *handle)
{
	const char *text;
	int64_t number = 0;
	int r = clearconf_get_int(handle, "a.b", &number);

	if (r == 0 && number != 1)
		r = -1;
	if (r == 0)
		r = clearconf_get_text(handle, "a.text", &text);
	if (r == 0 && strcmp(text, "x") != 0)
		r = -1;
	if (r == 0 &&
	    clearconf_get_int(handle, "a.none", &number) != CLEARCONF_E_ABSENT)
		r = -1;
	return r;
}

static int ask_often(void)
{
	struct clearconf *handle;
	int r = clearconf_new(&handle);

	for (int i = 0; r == 0 && i < ROUNDS; i++) {
		if (i % 20 == 0)
			r = clearconf_connect(handle, daemon_socket);
		if (r == 0)
			r = ask(handle);
	}
	if (r != 0)
		(void)fprintf(stderr, "%s\n", clearconf_strerror(handle));
	clearconf_free(handle);
	return r;
}

static int watch_once(void)
{
	struct clearconf_watch *watch;
	struct clearconf_reply reply;
	int r = clearconf_watch_new(&watch, daemon_socket, NULL,
				    "{\"values\":true}");

	if (r == 0)
		r = clearconf_watch_wait(watch, 10000, &reply);
	if (r == 0 && !strstr(reply.parameters, "\"value\""))
		r = -1;
	clearconf_watch_free(watch);
	return r;
}

/* Its argument becomes the outcome. */
static void *run(void *outcome)
{
	int r = ask_often();

	if (r == 0)
		r = watch_once();
	*(int *)outcome = r;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int outcomes[THREADS] = {0}, failed = 0;

	if (argc != 2)
		return 2;
	daemon_socket = argv[1];
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, &outcomes[i]) != 0)
			return 2;
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		failed += outcomes[i] != 0;
	}
	return failed;
}
