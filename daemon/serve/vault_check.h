#ifndef SERVE_VAULT_CHECK_H
#define SERVE_VAULT_CHECK_H

/*
 * CheckVault: what a text would do as a vault, here and now, before it is
 * saved. A job (offload.h): the text is somebody's, and may cost much.
 */

struct request;

void vault_check_answer(struct request *request);

#endif
