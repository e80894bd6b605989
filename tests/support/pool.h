#ifndef SUPPORT_POOL_H
#define SUPPORT_POOL_H

/*
 * libuv's thread pool, stopped: with one thread, a piece of work that waits
 * keeps all others waiting. Include it after cmocka.h.
 */

#include <stdlib.h>
#include <uv.h>

struct pool {
	uv_work_t work;
	uv_sem_t stopped, go;
};

/* Before the pool does anything. */
static inline void pool_init(void)
{
	assert_int_equal(setenv("UV_THREADPOOL_SIZE", "1", 1), 0);
}

static inline void pool_on_stop(uv_work_t *work)
{
	struct pool *pool = work->data;

	uv_sem_post(&pool->stopped);
	uv_sem_wait(&pool->go);
}

static inline void pool_on_gone(uv_work_t *work, int status)
{
	struct pool *pool = work->data;

	assert_int_equal(status, 0);
	uv_sem_destroy(&pool->stopped);
	uv_sem_destroy(&pool->go);
}

/* Until pool_go or pool_release no work is done, and the loop must not be run
 * but until something that needs no work. */
static inline void pool_stop(struct pool *pool, uv_loop_t *loop)
{
	assert_int_equal(uv_sem_init(&pool->stopped, 0), 0);
	assert_int_equal(uv_sem_init(&pool->go, 0), 0);
	pool->work.data = pool;
	assert_int_equal(
		uv_queue_work(loop, &pool->work, pool_on_stop, pool_on_gone),
		0);
	uv_sem_wait(&pool->stopped);
}

/* Work is done again; the loop has to be run for @pool to end. */
static inline void pool_release(struct pool *pool)
{
	uv_sem_post(&pool->go);
}

/* Until nothing is left to do. */
static inline void pool_go(struct pool *pool, uv_loop_t *loop)
{
	pool_release(pool);
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
}

#endif
