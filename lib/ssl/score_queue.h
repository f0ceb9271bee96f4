/* score_queue.h - earlier embeddings whose scores join those of a small batch in Sinkhorn (SwAV's queue). */
#ifndef HR_SCORE_QUEUE_H
#define HR_SCORE_QUEUE_H

#include "ssl/method.h"

typedef struct hr_score_queue {
    hr_array
        rows[HR_METHOD_VIEWS]; /* [length, d] real, unit rows of this rank, for each global view */
    int count;                 /* of them; 0: none is kept */
    int64_t start;             /* first step whose rows are kept */
} hr_score_queue;

hirl_status hr_score_queue_init(hr_score_queue *self, hr_queue *q, const hr_method_config *config,
                                const hr_method *method);
void hr_score_queue_done(hr_score_queue *self, hr_queue *q);

/* those of the kept rows with the prototypes [K,d], once as many were kept as there is room for, before
 * scores [n,K]; no gradient flows to either */
hr_tensor *hr_score_queue_join(const hr_score_queue *self, hr_tape *t, hr_tensor *scores,
                               const hr_array *prototypes, int view, const hr_now *now);
/* norm2(z0) [n,d] replaces the oldest rows when the step commits */
void hr_score_queue_put(const hr_score_queue *self, hr_tape *t, hr_tensor *z0, int view,
                        const hr_now *now);

/* 0: rests, 1: fills, 3: fills and joins (hr_method.stage) */
uint32_t hr_score_queue_stage(const hr_score_queue *self, int64_t step, int64_t n);

int hr_score_queue_fields(hr_score_queue *self, hr_field field[HR_METHOD_FIELDS]); /* how many */

#endif
