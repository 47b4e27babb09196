#pragma once
/* What the table of router.c calls. Each handler answers the request or sees to it that it is
 * answered; none blocks. One feature, one file. */
#include "base/json.h"
#include "routes/request.h"

/* health.c */
void health_get(struct request *request);
void ready_get(struct request *request);

/* sign_in.c */
void sign_in_post(struct request *request);
void sign_out_post(struct request *request);
void me_get(struct request *request);

/* tickets.c */
void ticket_post(struct request *request);
void upgrade_get(struct request *request);

/* entities.c */
void entity_list_get(struct request *request);
void entity_count_get(struct request *request);
void entity_one_get(struct request *request);
void entity_related_get(struct request *request);

/* present.c */
void present_post(struct request *request);

/* sounds.c */
void sound_list_get(struct request *request);
void sound_get(struct request *request);
void sound_put(struct request *request);
void sound_delete(struct request *request);
void sound_fetch_get(struct request *request);

/* sim.c */
void sim_get(struct request *request);
void sim_post(struct request *request);

/* body.c: what several of them do with a body */
/* The body as JSON; answers 415 or 400 and gives NULL when it is none. An empty body is an empty
 * object. */
json_t *request_json(struct request *request);
