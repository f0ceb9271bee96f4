/* hierarchy.c - what HIRL sets over each method (HIRL table 1, sec. 5.1; spec.md 1.10, 3.4, 6.1, 8.7).
 *
 *   h_l   linear layers of a head, and images of a process: its norms see no others
 *   T1    first epoch with clustering and path loss
 *   z_0   whose features are clustered: the averaged network's of MoCo v2, DINO and iBOT
 *
 * Over it what the authors' program has instead, and what their files of the HIRL variants change in the
 * method itself. Prototypes and negative paths of table 1 stand in the presets (api/presets.c): they belong to
 * ImageNet.
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

/* each epoch clusters from scratch */
#define ANEW                                                                                       \
    {                                                                                              \
        "warm", "0"                                                                                \
    }
static const hr_setting_pair program[] = { ANEW, END };
static const hr_setting_pair program_swav[] = { ANEW,
                                                { "iter_wise_assignment", "1" }, /* D5 */
                                                END };
static const hr_setting_pair program_mocov3[] = { ANEW,
                                                  { "cluster_warmup_epoch", "40" }, /* D6 */
                                                  { "cluster_network", "teacher" }, /* D7 */
                                                  END };
static const hr_setting_pair program_distill[] = { ANEW,
                                                   { "path_weight_decay", "0.01" }, /* D22 */
                                                   END };
static const hr_setting_pair variant_mocov3[] = { { "base_lr", "1.5e-4" }, /* D10 */
                                                  END };

/* images: in profile paper, in profile reference */
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
