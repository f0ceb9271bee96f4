/* run.h - the state of a training run, in parts. Each part names the files that may touch it
 * (tests/house/house.py checks this).
 */
#ifndef HR_TRAIN_RUN_H
#define HR_TRAIN_RUN_H

#include "config/run_config.h"
#include "config/views.h"
#include "data/loader.h"
#include "hier/rows.h"
#include "hier/tree.h"
#include "step/learner.h"
#include "task/pretrain.h"
#include "task/probe.h"
#include "train/directory_state.h"
#include "train/extract.h"
#include "train/health.h"
#include "types.h"

#include <hirl/train.h>

/* Batches, and what the host draws for them: feed.c. */
typedef struct hr_feed {
    hr_loader *loader;
    hr_run_views views;
    int32_t *leaf, *negative; /* of the batch: [n], [n, K] */
    int32_t *chosen;          /* [n] leaves that the step chose anew */
    uint8_t *mask;            /* [globals, n, P], or NULL */
    int32_t *label;           /* [n] classes, or NULL */
} hr_feed;

/* The tree of the coming epoch while it is being made: recluster.c, and checkpoint.c saves it. */
typedef struct hr_recluster {
    hr_extract *extract;   /* not NULL: extracting */
    hr_rows_placed placed; /* images extracted, and rows of them in points */
    uint8_t *readable;     /* [N] */
    hr_array points;       /* real [N, d] unit rows on the device */
    hr_tree_maker *maker;  /* not NULL: clustering */
    hr_tensors *kept;      /* state of a maker, from a checkpoint, until extraction is done */
    double seconds;
} hr_recluster;

/* The tree in use and the one in the making: recluster.c, exchange.c, checkpoint.c. */
typedef struct hr_grove {
    hirl_tree *tree;    /* in use, or NULL */
    int64_t tree_epoch; /* the epoch that it was made for, -1: none */
    bool own_tree;      /* given by the application: no clustering */
    int32_t *own_leaf; /* [N] given by the application, or chosen anew in steps; NULL: the tree's */
    hr_recluster making;
    double churn;         /* of the last clustering, -1 */
    int64_t leaf_size[3]; /* of the last clustering: smallest, median, largest */
    double seconds;       /* that the last clustering took */
    bool clustered;       /* a tree was made, and no report has said so yet */
} hr_grove;

/* How far the run is: trainer.c, checkpoint.c. */
typedef struct hr_run_progress {
    int64_t step, steps, per_epoch; /* steps made; of the run; of an epoch */
    bool epoch_open;     /* the last step of an epoch is made, the rest of the epoch's end is not */
    hr_step_result last; /* of the last step */
} hr_run_progress;

/* What the run reports, and its clock: journal.c. */
typedef struct hr_journal {
    hirl_report_fn *report;
    void *report_user;
    int64_t reported;       /* step of the last line in metrics.jsonl, -1: none */
    double started, waited; /* seconds: the clock of the rate, time spent waiting for the loader */
    int64_t started_step;
    hr_health health;
    const char *judgement;
} hr_journal;

/* the public hirl_trainer */
struct hirl_trainer {
    hirl_context *context;
    hirl_dataset *dataset;
    hr_identity identity;
    hirl_options options; /* the caller's, for config.yaml and checkpoints */
    hr_run_config config;
    hr_directory directory;
    hr_learner *learner;
    hr_pretrain *pretrain; /* the learner's task; NULL in a labelled run */
    hr_probe *probe;       /* the learner's task; NULL in pretraining */
    hr_feed feed;
    hr_grove grove;
    hr_run_progress progress;
    hr_journal journal;
    bool half_loaded; /* a load failed on its way: only another load helps */
};

#endif
