/* pretrain_state.h - settings and state of the pretraining task. */
#ifndef HR_PRETRAIN_STATE_H
#define HR_PRETRAIN_STATE_H

#include "hier/tree.h"
#include "nn/net.h"
#include "ssl/method.h"
#include "step/learner.h"
#include "task/encoding.h"
#include "types.h"

/* Parameter groups. PLAIN: biases and norms that have no decay (decay_all=0). */
enum {
    HR_GROUP_METHOD, /* encoder and head */
    HR_GROUP_PLAIN,
    HR_GROUP_PREDICTOR,
    HR_GROUP_PREDICTOR_PLAIN,
    HR_GROUP_LAST, /* last layer */
    HR_GROUP_PATH, /* heads h_l */
    HR_GROUP_PATH_PLAIN
};

/* hr_stage.name is a sum of these */
enum {
    HR_STAGE_PATHS = 1,    /* the path loss is computed */
    HR_STAGE_REASSIGN = 2, /* leaves are chosen anew before the losses */
    HR_STAGE_FROZEN = 4,   /* the last layer is not updated */
    HR_STAGE_METHOD = 8,   /* times hr_method.stage, 0 to 3 */
};

typedef struct hr_pretrain_config {
    hr_learner_config learner;
    hr_model_config model;
    int32_t globals, views;
    int64_t size[HR_STEP_VIEWS]; /* side of each view */
    int32_t levels;              /* L; 0: no hierarchy */
    int64_t bn_groups; /* batch-norm groups of encoder and heads in a batch: of this rank, or of all
                                    ranks if the method synchronises them (hr_method.sync) */
    int64_t path_bn_groups; /* batch-norm groups of the heads h_l on this rank */
    bool joint;             /* joint passes (encoding.h), if the method allows them */
    /* Profile reference: running statistics follow the first group, also in the pass that chooses
     * leaves; 1e-6 is added to the number of negatives by which eq. 3 divides. */
    bool reference;
    bool decay_all, path_decay_all; /* biases and norms decay too; those of the heads h_l */
    bool own_teacher;               /* method=own has a teacher */
    bool reassign;                  /* steps may choose leaves anew */
    double momentum;
    /* without batch, ranks, d, out and seed, which hr_pretrain_numbers adds */
    hr_method_config method;
    int64_t mask_most; /* most patches of an image that may be masked */
    int64_t negatives; /* K, negative paths of an image */
    bool draws_all;    /* negatives are drawn from all leaves, including the positive one */
    double spd_weight, spd_eps;
} hr_pretrain_config;

/* numbers in the results of a step (step/results.h) */
enum { HR_RESULT_IMAGE, HR_RESULT_SPD, HR_RESULT_ROWS, HR_RESULT_USAGE };

/* the tree in use, on the device */
typedef struct hr_paths {
    hirl_tree *tree;           /* NULL: none */
    hr_array proto[HR_LEVELS]; /* real [M_l, d] */
    hr_array path;             /* i32 [M_1, L] */
    uint32_t arrays;           /* counts how often the arrays were replaced */
} hr_paths;

/* The inputs of a step, except those of encodings. n: images of a batch on this rank. */
typedef struct hr_decisions {
    hr_cell image;              /* i64 [n] image ids */
    hr_cell row;                /* i32 [n] index of each image in the batch of all ranks */
    hr_cell temperature;        /* f64 [1] of the teacher */
    hr_cell shuffled, back;     /* i32 [n]: shuffle BN (shuffle.c) */
    hr_cell positive, negative; /* i32 [n], [n,K] leaves */
    hr_cell share;              /* real [micros]: share of each micro-batch in the path loss */
    /* lists of masked patches for each global view (patches.c) */
    hr_cell place[HR_METHOD_VIEWS];  /* i32 [micros M] */
    hr_cell token[HR_METHOD_VIEWS];  /* i32 [micros M] */
    hr_cell weight[HR_METHOD_VIEWS]; /* real [micros M] */
} hr_decisions;

typedef struct hr_pretrain {
    hr_pretrain_config config;
    hr_learner *learner; /* borrowed */
    hr_net net;
    hr_method kind;          /* the method of this run */
    const hr_method *method; /* &kind */
    void *method_state;
    hr_array inverse; /* real [K] workspace: inverse lengths of prototypes */
    hr_encoding student, teacher;
    hr_encoding nearest; /* view 1 alone, to choose leaves anew */
    hr_decisions decided;
    hr_array chosen; /* i32 [n,1] nearest leaves in this step; data NULL: not `reassign` */
    hr_array score;  /* real [n,1] their cosines */
    hr_cell leaf;    /* i32 [n] a result of the step: its positive leaves */
    int32_t leaves;  /* images of this step that have a leaf, on all ranks */
    bool reassigns;  /* this step chooses leaves anew */
    const hr_step_input *input; /* input of this step */
    hr_paths paths;
    bool targets; /* the method has targets, so the step reports their entropy */
} hr_pretrain;

#endif
