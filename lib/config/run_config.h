/* run_config.h - the settings of a training run, as read from its options. */
#ifndef HR_RUN_CONFIG_H
#define HR_RUN_CONFIG_H

#include "base/option.h"
#include "data/dataset.h"
#include "data/views.h"
#include "hier/cluster_config.h"
#include "hier/paths.h"
#include "nn/net.h"
#include "types.h"

enum { HR_PRECISION_F32, HR_PRECISION_BF16, HR_PRECISION_AUTO };
enum { HR_MASK_BLOCK, HR_MASK_RANDOM };
enum { HR_FEATURES_F32, HR_FEATURES_RUN };
enum { HR_BAD_REPLACE, HR_BAD_ERROR };

typedef struct hr_train_config {
    int64_t hirl; /* 1: with the hierarchy and its path loss */
    int64_t profile;
    int64_t epochs, cluster_warmup_epoch, batch_size, accumulate;
    int64_t cluster_network; /* 0 online, 1 teacher */
    int64_t optimizer;       /* hr_optim_kind */
    double lr, base_lr;      /* both set once resolved; base_lr is per 256 images */
    int64_t schedule;        /* 0 cosine_epoch, 1 cosine, 2 cosine_linspace */
    int64_t warmup_epochs;
    double warmup_lr, min_lr;
    int64_t constant_predictor_lr;
    double momentum, weight_decay, weight_decay_end, path_weight_decay; /* NaN until resolved */
    int64_t decay_all;
    int64_t clip; /* hr_clip_kind */
    double clip_grad;
    int64_t freeze_last_layer, freeze_prototypes; /* epochs; steps */
    double temperature, teacher_temperature, warmup_teacher_temperature;
    int64_t warmup_teacher_temperature_epochs;
    double center_momentum, ema, ema_end;
    int64_t ema_late;
    double sinkhorn_eps;
    int64_t sinkhorn_iterations;
    int64_t queue, queue_start; /* HR_AUTO until resolved */
    int64_t mask_own_keys;
    int64_t bn_groups, path_bn_groups; /* HR_AUTO until resolved */
    int64_t recipe;                    /* index into HR_RECIPES (config/views.h) */
    int64_t joint_views;
    int64_t own_teacher;
    char mask_ratio[HR_KEY_TEXT_BYTES];
    int64_t mask_shape; /* HR_MASK_ */
    double mask_low, mask_high, mask_share;
    int64_t iter_wise_assignment;
    int64_t precision, feature_precision;
    int64_t loader_threads, eval_batch;
    int64_t on_bad_image;
    double max_bad;
    int64_t save_every, log_every, keep;
    char out[HR_KEY_TEXT_BYTES];
    int64_t resume, overwrite;
    int64_t fit;
    int64_t seed;
} hr_train_config;

/* task of a run, and the labels that it uses */
enum { HR_TASK_PRETRAIN, HR_TASK_LINEAR };
typedef struct hr_label_config {
    int64_t task;        /* HR_TASK_ */
    int64_t label_level; /* 0: the finest labels */
} hr_label_config;

/* all settings of a run */
typedef struct hr_run_config {
    hr_train_config train;
    hr_model_config model;
    hr_view_config view;
    hr_cluster_config cluster;
    hr_spd_config spd;
    hr_label_config label;
    int32_t levels;       /* L, 0: no hierarchy */
    int64_t m[HR_LEVELS]; /* M_l: prototypes of level l */
    char fitted[160];     /* values that were reduced to fit the data set (fit.h), for the log */
} hr_run_config;

#endif
