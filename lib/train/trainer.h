/* trainer.h - a training run (HIRL Alg. 2): epochs, data, clustering, checkpoints around a learner. */
#ifndef HR_TRAINER_H
#define HR_TRAINER_H

#include "config/config.h"
#include "config/views.h"
#include "data/loader.h"
#include "hier/tree.h"
#include "task/pretrain.h"
#include "train/directory.h"
#include "train/extract.h"
#include "train/health.h"
#include "types.h"

#include <hirl/train.h>

/* the tree of the coming epoch while it is being made (recluster.c) */
typedef struct hr_recluster {
    hr_extract *extract;  /* not NULL: extracting */
    float *features;      /* host [N, d] */
    uint8_t *readable;    /* [N] */
    hr_array points;      /* real [N, d] unit rows on the device */
    hr_tree_maker *maker; /* not NULL: clustering */
    hr_tensors *kept;     /* state of a maker, from a checkpoint, until extraction is done */
    double seconds;
} hr_recluster;

/* the public hirl_trainer */
struct hirl_trainer {
    hirl_context *context;
    hirl_dataset *dataset;
    hr_identity identity;
    hirl_options options; /* the caller's, kept for config.yaml and checkpoints */
    hr_run_config config;
    hr_directory directory;
    hr_learner *learner;
    hr_pretrain *pretrain; /* the learner's task */
    hr_loader *loader;
    hr_run_views views;
    int64_t step, steps, per_epoch; /* steps made, in all, an epoch */
    hirl_tree *tree;                /* in use, or NULL */
    bool epoch_open;     /* the last step of an epoch is made, the rest of its end is not */
    hr_step_result last; /* of the last step */
    int64_t told;        /* step of the last line in metrics.jsonl */
    int64_t tree_epoch;  /* whose epoch it is, -1: none */
    bool own_tree;       /* given by the host: no clustering */
    bool half_loaded;    /* a load failed on its way: only another one helps */
    int32_t *own_leaf;   /* [N] the host's, or chosen anew in each step; NULL: the tree's count */
    hr_recluster recluster;
    double churn;             /* of the last clustering, -1 */
    int64_t leaf_size[3];     /* of the last clustering: smallest, median, largest */
    bool clustered;           /* a tree was made, and no report has said so yet */
    int32_t *leaf, *negative; /* of the batch: [n], [n, K] */
    int32_t *chosen;          /* [n] leaves that the step chose anew */
    uint8_t *mask;            /* [globals, n, P], or NULL */
    hr_health health;
    const char *judgement;
    hirl_report_fn *report;
    void *report_user;
    double started, waited, last_cluster_seconds; /* seconds: rate of the epoch */
    int64_t started_step;
};

/* make.c */
hirl_status hr_trainer_create(hirl_trainer **trainer, hirl_context *context,
                              const hirl_model *start, hirl_dataset *dataset,
                              const hirl_options *options);
void hr_trainer_destroy(hirl_trainer *trainer);
hr_loader_config hr_trainer_loader_config(
    const hirl_trainer *trainer);                     /* training views, shuffled */
int64_t hr_trainer_grid(const hirl_trainer *trainer); /* patches along a side of an image */

/* trainer.c */
hirl_status hr_trainer_step(hirl_step_report *report, hirl_trainer *trainer);
/* what the learner gets of a batch, without paths */
hr_step_input hr_trainer_input(hirl_trainer *trainer, const hr_batch *batch, int64_t step);
/* leaves are chosen anew in each step (assign.c); a tree of the host keeps the host's */
bool hr_trainer_reassigns(const hirl_trainer *trainer);

/* host.c */
hirl_status hr_trainer_model(hirl_model **model, const hirl_trainer *trainer, const char *network);
hirl_status hr_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf);

/* evaluate.c */
hirl_status hr_trainer_evaluate(hirl_step_report *report, hirl_trainer *trainer,
                                hirl_dataset *held_out);

/* recluster.c: extraction and hierarchical k-means of this epoch, resumable at every poll */
hirl_status hr_trainer_recluster(hirl_trainer *trainer);
void hr_recluster_drop(hirl_trainer *trainer);
hr_extract_config hr_trainer_extract_config(const hirl_trainer *trainer);
const hr_weights *hr_trainer_clustered(const hirl_trainer *trainer); /* whose features they are */

/* checkpoint.c */
hirl_status hr_trainer_to_tensors(hr_tensors *out, const hirl_trainer *trainer);
hirl_status hr_trainer_from_tensors(hirl_trainer *trainer, const hr_tensors *in);
hirl_status hr_trainer_save(hirl_trainer *trainer, const char *path);

/* report.c */
double hr_seconds(void); /* monotonic */
void hr_trainer_report(hirl_step_report *report, const hirl_trainer *trainer,
                       const hr_step_result *result);
hirl_status hr_trainer_metric(const hirl_trainer *trainer, const hirl_step_report *report);
hirl_status hr_trainer_environment(hirl_trainer *trainer); /* env.json */

#endif
