/* run.h - the state of a training run. Its parts feed, grove, progress and journal name the files
 * that may touch them; tests/house/house.py checks this (PARTS, PROGRESS_WRITERS). All other fields
 * are set when the run is made.
 */
#ifndef HR_TRAIN_RUN_H
#define HR_TRAIN_RUN_H

#include "config/run_config.h"
#include "config/views.h"
#include "data/identity.h"
#include "data/loader.h"
#include "hier/maker.h"
#include "hier/rows.h"
#include "step/learner.h"
#include "task/pretrain.h"
#include "task/probe.h"
#include "train/directory_state.h"
#include "train/extract.h"
#include "train/health.h"
#include "types.h"

#include <hirl/train.h>

/* Batches and what the host draws for them. Touched by feed.c only. */
typedef struct hr_feed {
    hr_loader *loader;
    hr_run_views views;
    int32_t *leaf, *negative; /* leaves for the batch: [n], [n, K] */
    int32_t *chosen;          /* [n] leaves assigned by the step */
    uint8_t *mask;            /* [globals, n, P], or NULL */
} hr_feed;

/* The tree of the coming epoch while it is being made. A part of hr_grove. */
typedef struct hr_recluster {
    hr_extract *extract;   /* NULL: features are not being extracted */
    hr_rows_placed placed; /* images extracted, and rows of them in points */
    uint8_t *readable;     /* [N] */
    hr_array points;       /* real [N, d] unit rows on the device */
    hr_tree_maker *maker;  /* NULL: no clustering is under way */
    hr_tensors *kept;      /* maker state from a checkpoint, until features are extracted again */
    double seconds;        /* when the extraction started */
} hr_recluster;

/* The tree in use and the one in the making. Touched by grove.c, recluster.c and checkpoint.c. */
typedef struct hr_grove {
    hirl_tree *tree;    /* in use, or NULL */
    int64_t tree_epoch; /* the epoch that it was made for, -1: none */
    bool own_tree;      /* the application gave the tree, so images are not clustered */
    int32_t *own_leaf;  /* [N] given by the application or assigned in steps; NULL: the tree's */
    hr_recluster making;
    double churn;         /* result of the last clustering; -1: unknown */
    int64_t leaf_size[3]; /* leaves of the last clustering: smallest, median, largest */
    double seconds;       /* duration of the last clustering */
    bool clustered;       /* a tree was made since the last report */
} hr_grove;

/* The position of the run. Every file may read it; written by trainer.c and checkpoint.c. */
typedef struct hr_run_progress {
    int64_t step, steps, per_epoch; /* completed; of the whole run; of an epoch */
    bool epoch_open; /* the last step of an epoch is done, but not the work that ends the epoch */
    hr_step_result last; /* result of the last step */
} hr_run_progress;

/* The application's report function, metrics.jsonl and the clock. Touched by journal.c only. */
typedef struct hr_journal {
    hirl_report_fn *report;
    hr_user report_user;
    int64_t reported; /* step of the last line in metrics.jsonl, -1: none */
    double started;   /* time at which the clock of the rate started, 0: not yet */
    double waited;    /* seconds spent waiting for the loader since then */
    int64_t started_step;
    int64_t lines; /* in metrics.jsonl */
    hr_health health;
    char judgement[HR_HEALTH_TEXT];
} hr_journal;

/* What a run does differently for each task: pretraining.c, linear.c. */
typedef struct hr_run_task {
    /* Makes trainer->learner with its task. start: weights to begin with, or NULL. */
    hirl_status (*make)(hirl_trainer *trainer, const hirl_model *start);
    /* Judges held-out images; the run is left unchanged. */
    hirl_status (*evaluate)(hirl_trainer_score *score, hirl_trainer *trainer,
                            hirl_dataset *held_out);
    /* Measures the state of the networks at the end of an epoch; loss: L_img. NULL: nothing. */
    hirl_status (*measure)(hirl_trainer *trainer, double loss);
    /* Writes the result of a finished run to a file. NULL: there are checkpoints only. */
    hirl_status (*save)(const hirl_trainer *trainer, const char *path);
    const char *result; /* name of the file that save writes */
    bool model_fixed;   /* the settings of the model come from the start model, not from options */
} hr_run_task;

/* The thread whose call uses the trainer. Touched by api/train.c only. */
typedef struct hr_claim {
    const char *_Atomic thread; /* NULL: none */
    int depth;                  /* that call, and those that its callbacks make */
    int between; /* depth at which a report function runs, between two steps; 0: none does */
} hr_claim;

/* the public hirl_trainer */
struct hirl_trainer {
    hirl_context *context;
    hirl_dataset *dataset;
    hr_identity identity;
    hirl_options options; /* the caller's, for config.yaml and checkpoints */
    hr_run_config config;
    hr_directory directory;
    const hr_run_task *task;
    hr_learner *learner;
    hr_pretrain *pretrain; /* the learner's task; NULL in a labelled run */
    hr_probe *probe;       /* the learner's task; NULL in pretraining */
    hr_feed feed;
    hr_grove grove;
    hr_run_progress progress;
    hr_journal journal;
    hr_claim claim;
    bool half_loaded; /* loading a checkpoint failed halfway; only another load is accepted */
};

#endif
