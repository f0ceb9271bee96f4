/* score_queue.h - SwAV's key queue: embeddings of earlier steps that join a batch in Sinkhorn. */
#ifndef HR_SCORE_QUEUE_H
#define HR_SCORE_QUEUE_H

#include "ssl/method.h"

typedef struct hr_score_queue {
    /* one ring for each global view: [length, d] real, unit rows of this rank */
    hr_array rows[HR_METHOD_VIEWS];
    int count;     /* number of rings; 0: the queue is not used */
    int64_t start; /* first step whose rows are stored */
} hr_score_queue;

hirl_status hr_score_queue_init(hr_score_queue *self, hr_queue *q, const hr_method_config *config,
                                const hr_method *method);
void hr_score_queue_done(hr_score_queue *self, hr_queue *q);

/* Returns scores [n,K] without gradient; once the queue is full, preceded by the scores of its rows
 * with the prototypes [K,d]: [length + n, K]. */
hr_tensor *hr_score_queue_join(const hr_score_queue *self, hr_tape *t, hr_tensor *scores,
                               const hr_array *prototypes, int view, const hr_now *now);
/* Stores norm2(z0) [n,d] in place of the oldest rows when the step commits. */
void hr_score_queue_put(const hr_score_queue *self, hr_tape *t, hr_tensor *z0, int view,
                        const hr_now *now);

/* hr_method.stage: 0 the queue rests, 1 it stores rows, 3 it is also used */
uint32_t hr_score_queue_stage(const hr_score_queue *self, int64_t step, int64_t n);

/* hr_method.fields */
int hr_score_queue_fields(hr_score_queue *self, hr_field field[HR_METHOD_FIELDS]);

#endif
