/* paths.c - the path loss of a micro-batch (HIRL sec. 4.2), and its tree on the device.
 *
 * L_SPD of a step is the mean over its images that have a leaf, on all ranks. A micro-batch adds
 * its own mean, times
 *
 *     share = (its images with a leaf) ranks / (images of the step with a leaf)
 *
 * because losses and gradients are averaged over ranks later.
 */
#include "task/paths.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/paths.h"
#include "task/micro.h"

static hr_tensor *path_loss(hr_pretrain *self, const hr_micro *micro, hr_tensor *z0)
{
    hr_tape *t = &self->learner->tape;
    hr_pass pass = hr_pass_of(self, &self->learner->online, micro);
    hr_spd_paths *paths = hr_tape_take(t, sizeof *paths);
    hr_tensor *u[HR_LEVELS];

    if (!paths)
        return &t->dead;
    pass.groups = self->config.path_bn_groups / micro->count;
    pass.sync = false; /* the heads h_l have no SyncBN */
    *paths = (hr_spd_paths){
        .levels = self->paths.tree->levels,
        .path = self->paths.path,
        .positive = hr_slice(&self->decided.positive.device, micro->first, micro->n),
        .negative = hr_slice(&self->decided.negative.device, micro->first, micro->n),
        .eps = self->config.spd_eps,
        .divisor_eps = hr_spd_divisor_eps(self->config.reference),
    };
    memcpy(paths->proto, self->paths.proto, sizeof paths->proto);
    for (int l = 0; l < paths->levels; l++)
        u[l] = hr_normalize(t, hr_net_path(&self->net, &pass, l, z0));
    return hr_spd(t, u, paths);
}

hr_tensor *hr_path_loss(hr_pretrain *self, const hr_micro *micro, hr_tensor *z0)
{
    hr_array share;

    if (!self->leaves)
        return NULL;
    share = hr_slice(&self->decided.share.device, micro->index, 1);
    return hr_scale_by(&self->learner->tape, path_loss(self, micro, z0), &share);
}

/* ---- the tree's arrays ---- */

static void drop(hr_paths *paths, hr_queue *q)
{
    for (int l = 0; l < HR_LEVELS; l++)
        hr_array_give(&paths->proto[l], q);
    hr_array_give(&paths->path, q);
    hr_tree_drop(paths->tree);
    paths->tree = NULL;
}

static hirl_status take_arrays(hr_paths *to, hr_queue *q, const hirl_tree *tree)
{
    for (int l = 0; l < tree->levels; l++) {
        to->proto[l] = hr_array_2(NULL, HR_REAL, tree->m[l], tree->d);
        HR_TRY(hr_array_take(&to->proto[l], q, "tree"));
    }
    to->path = hr_array_2(NULL, HR_I32, tree->m[0], tree->levels);
    return hr_array_take(&to->path, q, "tree");
}

/* Whether the arrays of one tree have the shapes of another. */
static bool fits(const hr_paths *paths, const hirl_tree *tree)
{
    bool same = paths->tree && paths->tree->levels == tree->levels && paths->tree->d == tree->d;

    for (int l = 0; l < tree->levels && same; l++)
        same = paths->tree->m[l] == tree->m[l];
    return same;
}

/* path: host memory for the rows of tree->path, [M_1, L] */
static hirl_status upload(const hr_paths *to, hr_queue *q, const hirl_tree *tree, int32_t *path)
{
    hr_tree_paths(path, tree);
    for (int l = 0; l < tree->levels; l++)
        q->be->upload(q, &to->proto[l], tree->proto[l], HR_F32);
    q->be->upload(q, &to->path, path, HR_I32);
    return q->be->sync(q);
}

/* Takes arrays of another shape. On failure the old tree stays. */
static hirl_status replace_arrays(hr_pretrain *self, const hirl_tree *tree)
{
    hr_queue *q = self->learner->queue;
    hr_paths fresh = { .arrays = self->paths.arrays + 1 };
    hirl_status status = take_arrays(&fresh, q, tree);

    if (status < 0) {
        drop(&fresh, q);
        return status;
    }
    drop(&self->paths, q);
    self->paths = fresh;
    return HIRL_OK;
}

/* A tree of the same shape goes into the arrays of the one before, so that captured steps stay
 * valid. */
hirl_status hr_pretrain_set_tree(hr_pretrain *self, hirl_tree *tree)
{
    hr_queue *q = self->learner->queue;
    hirl_status status = HIRL_OK;
    int32_t *path;

    if (!tree) {
        drop(&self->paths, q);
        return HIRL_OK;
    }
    if (tree->levels != self->net.levels || tree->d != self->net.z_dim)
        return hr_fail(HIRL_E_INVALID,
                       "tree: %d levels with %lld columns; the model has %d heads h_l with %lld",
                       (int)tree->levels, (long long)tree->d, (int)self->net.levels,
                       (long long)self->net.z_dim);
    path = hr_alloc_array((size_t)(tree->m[0] * tree->levels), sizeof *path);
    if (!path)
        return HIRL_E_NOMEM;
    if (!fits(&self->paths, tree))
        status = replace_arrays(self, tree);
    if (status >= 0)
        status = upload(&self->paths, q, tree, path);
    hr_free(path);
    if (status < 0)
        return status;
    hr_tree_hold(tree);
    hr_tree_drop(self->paths.tree);
    self->paths.tree = tree;
    return HIRL_OK;
}
