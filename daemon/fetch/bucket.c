#include "fetch/bucket.h"

static uint64_t capacity(const struct bucket *bucket)
{
	return bucket->per_minute * BUCKET_CALL;
}

static void refill(struct bucket *bucket, uint64_t now_ms)
{
	uint64_t ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
	uint64_t back;

	if (__builtin_mul_overflow(ms, bucket->per_minute, &back) ||
	    back > bucket->spent)
		back = bucket->spent;
	bucket->spent -= back;
	bucket->at_ms += ms;
}

bool bucket_take(struct bucket *bucket, uint64_t now_ms)
{
	if (bucket_wait(bucket, now_ms))
		return false;
	bucket->spent += BUCKET_CALL;
	return true;
}

uint64_t bucket_wait(struct bucket *bucket, uint64_t now_ms)
{
	uint64_t after, most = capacity(bucket);

	refill(bucket, now_ms);
	after = bucket->spent + BUCKET_CALL;
	if (after <= most)
		return 0;
	return (after - most + bucket->per_minute - 1) / bucket->per_minute;
}

bool bucket_is_full(struct bucket *bucket, uint64_t now_ms)
{
	refill(bucket, now_ms);
	return bucket->spent == 0;
}
