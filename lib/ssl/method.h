/* method.h - what a self-supervised method is. It knows nothing of the hierarchy.
 *
 * The learner (train/learner.c) encodes the views that the method names, hands it the outputs and
 * gets L_img. What a method keeps between steps are named arrays: checkpoints and resume need no
 * code of the method.
 */
#ifndef HR_METHOD_H
#define HR_METHOD_H

#include "backend.h"
#include "tape/ops.h"
#include "types.h"

enum { HR_METHOD_VIEWS = 16, HR_METHOD_FIELDS = 4 };

/* numbers of a run that methods ask for */
typedef struct hr_method_config {
    int64_t batch; /* images a step on this rank */
    int64_t ranks;
    int64_t d; /* columns of z0 */
    double temperature;
    int64_t queue; /* rows of MoCo v2's queue */
    uint64_t seed;
} hr_method_config;

typedef struct hr_field {
    const char *name;
    hr_array *array;
} hr_field;

/* what the views of a step came out as; [v] is NULL for a view that this network does not see */
typedef struct hr_outputs {
    hr_tensor *student[HR_METHOD_VIEWS]; /* [n, d] z0 of the online network */
    hr_tensor *teacher[HR_METHOD_VIEWS]; /* [n, d] z0 of the teacher, no gradient */
    hr_array image;                      /* i64 [n] ids of the images, on the device */
} hr_outputs;

struct hr_method {
    const char *name;
    int32_t views;             /* global views */
    uint32_t student, teacher; /* bit v: the network sees view v */
    bool shuffle_teacher;      /* the teacher's batch is permuted over all ranks (shuffle BN) */
    bool cluster_teacher;      /* whose features are clustered */
    bool evaluate_teacher;     /* what network=auto means */
    size_t state_size;
    hirl_status (*init)(void *self, hr_queue *q, const hr_method_config *config);
    void (*done)(void *self, hr_queue *q);
    hr_tensor *(*loss)(void *self, hr_tape *t, const hr_outputs *out); /* L_img [1] */
    int (*fields)(void *self, hr_field field[HR_METHOD_FIELDS]);       /* how many */
    double (*chance)(const hr_method_config *config); /* expected loss at the start */
};

extern const hr_method hr_method_mocov2;

const hr_method *hr_method_find(int64_t index); /* index of the key `method` */

#endif
