/* hierarchy.c - settings that HIRL adds to each method (HIRL table 1, sec. 5.1).
 *
 *   head_layers           linear layers of a head h_l
 *   cluster_warmup_epoch  T1, the first epoch with clustering and path loss
 *   cluster_network       network that is clustered: the teacher for MoCo v2, DINO and iBOT
 *   images                images of one process in the authors' runs; norms of h_l see no others
 *
 * `reference` lists what the authors' program does instead. `variant` lists what their
 * configuration files for the HIRL variants change in the method itself. Prototypes and negative
 * paths of table 1 are in the presets (api/presets.c), because they are chosen for ImageNet.
 */
#include "config/hierarchy.h"

#include "methods.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

static const hr_setting_pair none[] = { END };

static const hr_setting_pair online_20[] = {
    { "head_layers", "2" }, { "cluster_warmup_epoch", "20" }, { "cluster_network", "online" }, END
};
static const hr_setting_pair teacher_20[] = {
    { "head_layers", "2" }, { "cluster_warmup_epoch", "20" }, { "cluster_network", "teacher" }, END
};
static const hr_setting_pair teacher_40[] = {
    { "head_layers", "2" }, { "cluster_warmup_epoch", "40" }, { "cluster_network", "teacher" }, END
};
static const hr_setting_pair mocov3[] = {
    { "head_layers", "5" }, { "cluster_warmup_epoch", "20" }, { "cluster_network", "online" }, END
};

/* the authors' program clusters from scratch in each epoch */
#define ANEW                                                                                       \
    {                                                                                              \
        "warm", "0"                                                                                \
    }
static const hr_setting_pair program[] = { ANEW, END };
/* in SwAV each step chooses the leaves, by the second view */
static const hr_setting_pair program_swav[] = { ANEW, { "iter_wise_assignment", "1" }, END };
static const hr_setting_pair program_mocov3[] = {
    ANEW,
    { "cluster_warmup_epoch", "40" }, /* T1 of the paper is 20 */
    { "cluster_network", "teacher" }, /* paper: online */
    END
};
/* AdamW's default decay, constant and on all of h_l. The paper schedules 0.04 to 0.4, biases and
 * norms excepted. */
static const hr_setting_pair program_distill[] = { ANEW, { "path_weight_decay", "0.01" }, END };
/* the file of MoCo v3 alone has 1e-4 */
static const hr_setting_pair variant_mocov3[] = { { "base_lr", "1.5e-4" }, END };

/* images in profile paper, in profile reference; HIRL-iBOT ran with 1032 images on 24 GPUs */
static const hr_hierarchy over_mocov2 = { { 32, 32 }, teacher_20, program, none };
static const hr_hierarchy over_simsiam = { { 32, 32 }, online_20, program, none };
static const hr_hierarchy over_swav = { { 128, 128 }, online_20, program_swav, none };
static const hr_hierarchy over_mocov3 = { { 32, 32 }, mocov3, program_mocov3, variant_mocov3 };
static const hr_hierarchy over_dino = { { 32, 32 }, teacher_40, program_distill, none };
static const hr_hierarchy over_ibot = { { 32, 43 }, teacher_40, program_distill, none };
static const hr_hierarchy over_own = { { 32, 32 }, online_20, program, none };

#define ROW(name) &over_##name,
static const hr_hierarchy *const all[] = { HR_METHODS(ROW) };

const hr_hierarchy *hr_hierarchy_over(int64_t method)
{
    return all[method];
}
