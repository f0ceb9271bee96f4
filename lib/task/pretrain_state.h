/* pretrain_state.h - settings and state of the self-supervised task. */
#ifndef HR_PRETRAIN_STATE_H
#define HR_PRETRAIN_STATE_H

#include "hier/tree.h"
#include "nn/net.h"
#include "ssl/method.h"
#include "step/learner.h"
#include "task/encoding.h"
#include "types.h"

/* parameter groups: with and without decay, of the method; of its predictor; its last layer; of the heads h_l */
enum {
    HR_GROUP_METHOD,
    HR_GROUP_PLAIN,
    HR_GROUP_PREDICTOR,
    HR_GROUP_PREDICTOR_PLAIN,
    HR_GROUP_LAST,
    HR_GROUP_PATH,
    HR_GROUP_PATH_PLAIN
};

/* stages of pretraining, as bits of hr_stage.name */
enum {
    HR_STAGE_PATHS = 1,    /* the path loss is computed */
    HR_STAGE_REASSIGN = 2, /* leaves are chosen anew before the losses */
    HR_STAGE_FROZEN = 4,   /* the last layer rests */
    HR_STAGE_METHOD = 8,   /* times the method's own stage, 0 to 3 */
};

typedef struct hr_pretrain_config {
    hr_learner_config learner;
    hr_model_config model;
    int32_t globals, views;
    int64_t size[HR_STEP_VIEWS];       /* side of each view */
    int32_t levels;                    /* L, 0: plain */
    int64_t bn_groups, path_bn_groups; /* of a batch on this rank: encoder and heads; h_l */
    bool joint; /* views of one size in one pass, when the method allows it */
    bool
        reference; /* profile reference: running statistics follow group 0; sums are divided by k + 1e-6 */
    bool decay_all, path_decay_all; /* biases and norms decay too; those of h_l */
    bool own_teacher;               /* of method=own */
    bool reassign;                  /* leaves may be chosen anew in a step */
    double momentum;
    hr_method_config method; /* sizes of the network are filled in when it is made */
    int64_t mask_most;       /* patches of an image that may be masked, at most */
    int64_t negatives;       /* K, paths an image */
    bool draws_all;          /* negatives are drawn from all leaves, the positive included */
    double spd_weight, spd_eps;
} hr_pretrain_config;

/* results of the step (step/results.h) */
enum { HR_RESULT_IMAGE, HR_RESULT_SPD, HR_RESULT_ROWS, HR_RESULT_USAGE };

/* the tree in use, on the device */
typedef struct hr_paths {
    hirl_tree *tree; /* NULL: none */
    hr_array proto[HR_LEVELS], path;
} hr_paths;

/* What the host decides for a step, besides what encodings need; rows of a batch unless said otherwise. */
typedef struct hr_decisions {
    hr_cell image;                   /* i64 [n] ids */
    hr_cell row;                     /* i32 [n] number of each image among those of all ranks */
    hr_cell temperature;             /* f64 [1] of the teacher */
    hr_cell shuffled, back;          /* i32 [n]: shuffle BN (shuffle.c) */
    hr_cell positive, negative;      /* i32 [n], [n,K] leaves */
    hr_cell share;                   /* real [micros]: of each micro-batch in the path loss */
    hr_cell place[HR_METHOD_VIEWS];  /* i32 [micros M]: rows of masked patches (encode.h) */
    hr_cell token[HR_METHOD_VIEWS];  /* i32 [micros M] */
    hr_cell weight[HR_METHOD_VIEWS]; /* real [micros M] */
} hr_decisions;

typedef struct hr_pretrain {
    hr_pretrain_config config;
    hr_learner *learner; /* borrowed */
    hr_net net;
    hr_method kind;          /* the method as this run has it */
    const hr_method *method; /* &kind */
    void *method_state;
    hr_array inverse; /* real [K] lengths of prototypes, while they are made unit rows */
    hr_encoding student, teacher,
        nearest; /* nearest: view 1 alone, for leaves that are chosen anew */
    hr_decisions decided;
    hr_array chosen;            /* i32 [n,1] leaves chosen in this step; data NULL: never */
    hr_array score;             /* real [n,1] */
    hr_cell leaf;               /* i32 [n] results: positive leaves of the step */
    int32_t leaves;             /* images of this step that have a leaf, of all ranks */
    bool reassigns;             /* in this step */
    const hr_step_input *input; /* of the running step */
    hr_paths paths;
    bool targets; /* the step's method has targets, so their entropy is known */
} hr_pretrain;

#endif
