#include "fetch/proof.h"

#include "fetch/poll_phase.h"

static uint64_t wait_for_next(const struct proof *proof, uint64_t wall_ms,
			      uint32_t random)
{
	uint64_t jitter = proof->interval_ms / 100 * proof->jitter_percent;

	if (!proof->planned)
		return poll_phase_until(proof->phase, proof->interval_ms,
					wall_ms);
	return proof->interval_ms - poll_phase_part(random, jitter);
}

void proof_made(struct proof *proof, int64_t now_ms, uint64_t wall_ms,
		uint32_t random)
{
	proof->demanded = false;
	if (!proof->interval_ms)
		return;
	proof->due_ms = now_ms + (int64_t)wait_for_next(proof, wall_ms, random);
	proof->planned = true;
}

void proof_demand(struct proof *proof)
{
	proof->demanded = true;
}

uint64_t proof_left(const struct proof *proof, int64_t now_ms)
{
	if (proof->demanded)
		return 0;
	if (!proof->planned)
		return PROOF_NEVER;
	return proof->due_ms > now_ms ? (uint64_t)(proof->due_ms - now_ms) : 0;
}
