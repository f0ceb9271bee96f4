/* method.h - what a self-supervised method is. It knows nothing of the hierarchy.
 *
 * The learner shows the views of a batch (task/encode.c) to the networks as the method says, hands
 * it what came out and gets L_img (task/losses.c). What a method keeps between steps are named arrays: checkpoints
 * and resume need no code of the method. Its settings are values of keys that lie under the
 * caller's: what the paper states, and over them what the authors' program has instead. Those of
 * the hierarchy over it are not here (tests/house/house.py looks for their words).
 */
#ifndef HR_METHOD_H
#define HR_METHOD_H

#include "backend.h"
#include "base/option.h"
#include "base/tensors.h"
#include "methods.h"
#include "nn/net.h"
#include "tape/ops.h"
#include "types.h"

enum { HR_METHOD_VIEWS = 16, HR_METHOD_FIELDS = HR_METHOD_VIEWS };
_Static_assert((int)HR_METHOD_VIEWS <= (int)HR_NODE_INS,
               "rows of all views are put together in one step");

/* numbers of a run that methods ask for */
typedef struct hr_method_config {
    int64_t batch; /* images a step on this rank */
    int64_t ranks;
    int64_t d, out;     /* columns of z0, and of what follows it */
    int64_t globals;    /* global views */
    double temperature; /* of the contrast, or of the student */
    double first_teacher_temperature;
    double center_momentum;
    double mask_share; /* of the global views that are masked */
    double sinkhorn_eps;
    int64_t sinkhorn_iterations;
    int64_t queue;       /* rows of MoCo v2's queue, of each of SwAV's; 0: none */
    bool mask_own_keys;  /* MoCo v2's queue: a row of the same image is no negative */
    int64_t queue_start; /* first step in which SwAV's queue is filled */
    uint64_t seed;
} hr_method_config;

typedef struct hr_field {
    const char *name;
    hr_array *array;
} hr_field;

/* what one network made of the views; NULL for a view that it does not see */
typedef struct hr_seen {
    hr_tensor *z0[HR_METHOD_VIEWS]; /* [n,d] */
    hr_tensor
        *out[HR_METHOD_VIEWS]; /* [n,K] prediction, scores or logits; NULL: nothing follows z0 */
    hr_tensor
        *patches[HR_METHOD_VIEWS]; /* `patches`, global views: logits [n P, K] of the teacher's
                                            patches; [M, K] of the student's masked ones */
    hr_array rows;                 /* of the last layer [K,d]; data NULL: there is none */
} hr_seen;

/* Entropy [1] of the targets p [n,K] that a view gives the others, in nats: mean of the rows' (ln K: they say
 * nothing), and that of their mean (e to it: outputs in use) */
typedef struct hr_entropy {
    hr_tensor *rows, *usage; /* NULL: the method has no targets */
} hr_entropy;

/* the step */
typedef struct hr_now {
    int64_t n, globals, views; /* rows; views */
    int64_t step;
    int64_t micro, micros;              /* which micro-batch of how many */
    hr_array image;                     /* i64 [n] ids, on the device */
    const int64_t *image_on_host;       /* the same */
    hr_array row;                       /* i32 [n] number of each image among those of all ranks */
    hr_array teacher_temperature;       /* f64 [1] on the device: it changes from step to step */
    double teacher_temperature_on_host; /* the same */
    /* `patches`: row of the teacher's patches and weight of each of the M masked ones of a view; the
     * weights of an image add up to 1/n, or to 0 when nothing of it is masked */
    hr_array place[HR_METHOD_VIEWS];  /* i32 [M] */
    hr_array weight[HR_METHOD_VIEWS]; /* real [M] */
    hr_entropy *entropy;              /* filled by methods with targets; NULL: not wanted */
} hr_now;

/* what the key `queue` counts */
typedef enum { HR_QUEUE_NONE, HR_QUEUE_NEGATIVES, HR_QUEUE_ROWS } hr_queue_use;

/* which views a network sees: bit v, or */
#define HR_SEES_ALL 0x7fffffffu
#define HR_SEES_GLOBAL 0x80000000u

struct hr_method {
    const char *name;
    const hr_setting_pair *paper, *reference; /* ended by a NULL key */
    uint32_t student, teacher;                /* what they see; teacher 0: there is none */
    bool joint;           /* views of one size are one batch, heads get all views at once */
    bool shuffle_teacher; /* the teacher's batch is permuted over all ranks (shuffle BN) */
    bool sync;            /* batch norm over all ranks; else in groups (bn_groups) */
    int32_t
        sync_images; /* profile paper: of the processes that share statistics; 0: all of a batch */
    hr_queue_use queue;
    bool declared;         /* by the host: the key own_teacher says whether there is a teacher, its
                              callbacks whether the loss is coupled */
    bool coupled;          /* the loss couples the images of a batch: accumulation is exact */
    bool predictor;        /* the loss reads predictions */
    int32_t last;          /* HR_LAST_: the loss reads scores of such a layer */
    bool locals;           /* the loss reads local views */
    bool patches;          /* the student's patches are masked and compared */
    bool distills;         /* the teacher's softmax is the target: it has a temperature */
    bool evaluate_teacher; /* what network=auto means */
    size_t state_size;
    hirl_status (*init)(void *self, hr_queue *q, const hr_method_config *config);
    void (*done)(void *self, hr_queue *q);
    hr_tensor *(*loss)(void *self, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now);                       /* L_img [1] */
    int (*fields)(void *self, hr_field field[HR_METHOD_FIELDS]); /* how many */
    double (*chance)(
        const hr_method_config *config); /* L_img when outputs say nothing; NaN: unknown */
    /* L_img of the first step lies between these, about: views of an image with one embedding, and with unrelated
     * ones (tests/bench/README.md); equal where that does not matter; NULL: unknown */
    void (*first)(double low_high[2], const hr_method_config *config);
    /* Names the operations of the loss where they change between steps (SwAV's queue fills, then joins): 0 to 3.
     * NULL: they never change. n: images of a step on this rank */
    uint32_t (*stage)(const void *self, int64_t step, int64_t n);
    /* of `own`, NULL for others: whether a step can be made; the last word before a step's commit;
     * what a checkpoint holds besides arrays */
    hirl_status (*ready)(const void *self);
    hirl_status (*commit)(void *self, int64_t step);
    hirl_status (*save)(const void *self, hr_tensors *out);
    hirl_status (*load)(void *self, const hr_tensors *in);
};

#define HR_METHOD_DECLARE(name) extern const hr_method hr_method_##name;
HR_METHODS(HR_METHOD_DECLARE)
#undef HR_METHOD_DECLARE

const hr_method *hr_method_find(int64_t index); /* index of the key `method` */
/* the method as a run has it */
hr_method hr_method_of(int64_t index, bool own_teacher);

/* ln sum of exp of K logits that are cosines of unrelated directions over T: ln K + 1 / (2 d T^2), or where the
 * largest alone counts sqrt(2 ln K / d) / T */
double hr_method_log_sum(double k, const hr_method_config *config);

/* entropy of the targets p [n,K] of the first view, for the report */
void hr_method_entropy(const hr_now *now, hr_tape *t, const hr_tensor *p);

#endif
