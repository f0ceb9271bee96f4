/* method.h - the interface of a self-supervised method. A method does not know the hierarchy.
 *
 * The pretraining task (task/pretrain.h) encodes the views of a batch with the networks that the
 * method needs (task/encode.c), passes the outputs to `loss` and gets L_img back (task/losses.c).
 * `fields` lists the arrays that a method keeps between steps, so that checkpoints need no code of
 * the method.
 *
 * `paper` and `reference` are values of keys. `paper` holds the values of the method's paper;
 * `reference` replaces some of them by the values of the authors' program. Values that the caller
 * gives override both. Keys of the hierarchy stand in config/hierarchy.c; tests/house/house.py
 * refuses them here.
 */
#ifndef HR_METHOD_H
#define HR_METHOD_H

#include "backend.h"
#include "base/option.h"
#include "base/tensors.h"
#include "nn/net.h"
#include "tape/ops.h"
#include "types.h"

enum { HR_METHOD_VIEWS = 16, HR_METHOD_FIELDS = HR_METHOD_VIEWS };
_Static_assert((int)HR_METHOD_VIEWS <= (int)HR_NODE_INS,
               "one operation concatenates the rows of all views");

/* numbers of a run that methods need */
typedef struct hr_method_config {
    int64_t batch; /* images of a step on this rank */
    int64_t ranks;
    int64_t d;                        /* columns of z0 */
    int64_t out;                      /* columns of the output after z0; 0: nothing follows z0 */
    int64_t globals;                  /* global views */
    double temperature;               /* temperature of the contrast, or of the student */
    double first_teacher_temperature; /* in the first step */
    double center_momentum;
    double mask_share; /* share of the global views that are masked */
    double sinkhorn_eps;
    int64_t sinkhorn_iterations;
    int64_t queue;       /* rows of MoCo v2's key queue, or of each of SwAV's; 0: none */
    bool mask_own_keys;  /* MoCo v2: a key of the same image is not a negative */
    int64_t queue_start; /* first step whose rows enter SwAV's key queues */
    uint64_t seed;
} hr_method_config;

typedef struct hr_field {
    const char *name; /* in a checkpoint */
    hr_array *array;
} hr_field;

/* Outputs of one network, by view; NULL for a view that the network does not encode. */
typedef struct hr_seen {
    hr_tensor *z0[HR_METHOD_VIEWS]; /* [n,d] */
    /* [n,K] prediction, scores or logits; NULL: nothing follows z0 */
    hr_tensor *out[HR_METHOD_VIEWS];
    /* Logits of patches, for global views of a method with `patches`. Teacher: all patches
     * [n P, K]; student: masked patches [M, K], in the order of hr_now.place. */
    hr_tensor *patches[HR_METHOD_VIEWS];
    hr_array rows; /* weights of the last layer [K,d]; data NULL: there is none */
} hr_seen;

/* Entropies [1] in nats of targets p [n,K]. rows: mean entropy of the rows; ln K means that targets
 * carry no information. usage: entropy of the mean row; e^usage is the number of outputs in use. */
typedef struct hr_entropy {
    hr_tensor *rows, *usage; /* NULL: the method has no targets */
} hr_entropy;

/* One call of `loss`: a micro-batch, or the whole batch if the loss couples images. */
typedef struct hr_now {
    int64_t n, globals, views; /* images; global views; all views */
    int64_t step;
    int64_t micro, micros;              /* number of this micro-batch; micro-batches of the step */
    hr_array image;                     /* i64 [n] image ids, on the device */
    const int64_t *image_on_host;       /* the same ids in host memory */
    hr_array row;                       /* i32 [n] index of each image in the batch of all ranks */
    hr_array teacher_temperature;       /* f64 [1] on the device; may change in each step */
    double teacher_temperature_on_host; /* the same value */
    /* Masked patches of a view, for methods with `patches`: row of each in the teacher's patches,
     * and its weight. Weights of an image add up to 1/n, or to 0 if none of its patches is masked.
     * M is a capacity; unused entries have weight 0. */
    hr_array place[HR_METHOD_VIEWS];  /* i32 [M] */
    hr_array weight[HR_METHOD_VIEWS]; /* real [M] */
    hr_entropy *entropy;              /* written by methods with targets; NULL: not needed */
} hr_now;

/* the unit of the key `queue` */
typedef enum { HR_QUEUE_NONE, HR_QUEUE_NEGATIVES, HR_QUEUE_ROWS } hr_queue_use;

/* Views that a network encodes: bit v is view v, or one of these. */
#define HR_SEES_ALL 0x7fffffffu
#define HR_SEES_GLOBAL 0x80000000u

struct hr_method {
    const char *name;
    const hr_setting_pair *paper, *reference; /* each ends with key NULL */
    uint32_t student, teacher;                /* views they encode; teacher 0: there is none */
    bool joint;           /* views of one size are one batch; heads get all views at once */
    bool shuffle_teacher; /* the teacher's batch is permuted over all ranks (shuffle BN) */
    bool sync;            /* SyncBN: batch-norm group g is that of all ranks; else of one rank */
    int32_t sync_images;  /* profile paper: images that share statistics; 0: the whole batch */
    hr_queue_use queue;
    bool declared;  /* method=own: the key own_teacher decides whether there is a teacher, and the
                       application's calls whether the loss couples images */
    bool coupled;   /* the loss couples images; with accumulation it gets the whole batch at once */
    bool predictor; /* the loss reads the predictor's output */
    int32_t last;   /* the loss reads scores of this last layer, HR_LAST_*; 0: of none */
    bool locals;    /* the loss reads local views */
    bool patches;   /* the student's patches are masked and compared with the teacher's */
    bool distills;  /* the target is the teacher's softmax, which has a temperature */
    bool evaluate_teacher; /* network=auto evaluates the teacher; else the online network */
    size_t state_size;     /* bytes of `self`; 0: the method has no state, and self is NULL */
    hirl_status (*init)(void *self, hr_queue *q, const hr_method_config *config);
    void (*done)(void *self, hr_queue *q);
    /* Returns L_img [1]. Everything else that the method changes goes through hr_tape_at_commit. */
    hr_tensor *(*loss)(void *self, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now);
    /* Lists the arrays that checkpoints keep, and returns their number. NULL: none. */
    int (*fields)(void *self, hr_field field[HR_METHOD_FIELDS]);
    /* Returns L_img when outputs carry no information; NaN: unknown. Required. */
    double (*chance)(const hr_method_config *config);
    /* Estimates L_img of the first step: the lower value if all views of an image have one
     * embedding, the upper one if they are unrelated (tests/bench/README.md). Both are equal if the
     * similarity does not matter. NULL: unknown. */
    void (*first)(double low_high[2], const hr_method_config *config);
    /* A number from 0 to 3 that names the operations of the loss in a step (SwAV: its queue rests,
     * fills, or is used). NULL: they never change. n: images of a step on this rank. */
    uint32_t (*stage)(const void *self, int64_t step, int64_t n);
    /* Only method=own has the following. */
    hirl_status (*ready)(const void *self);                 /* STATE: no step is possible yet */
    hirl_status (*commit)(void *self, int64_t step);        /* may still refuse the step */
    hirl_status (*save)(const void *self, hr_tensors *out); /* state besides arrays */
    hirl_status (*load)(void *self, const hr_tensors *in);
};

/* Expected ln sum exp of K logits that are cosines of unrelated directions divided by T:
 * ln K + 1 / (2 d T^2), or sqrt(2 ln K / d) / T if the largest logit dominates. */
double hr_method_log_sum(double k, const hr_method_config *config);

/* Writes the entropies of targets p [n,K] to now->entropy. Methods call it for one global view. */
void hr_method_entropy(const hr_now *now, hr_tape *t, const hr_tensor *p);

#endif
