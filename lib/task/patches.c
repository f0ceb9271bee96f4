/* patches.c - the patches that iBOT compares (Zhou et al. 2022): the student's masked ones, and the
 * teacher's.
 *
 * Each global view of a micro-batch with n images has a list of M = n mask_most entries, one for
 * each masked patch: place[e] is its row in the teacher's patches [n P], token[e] its row in the
 * student's tokens, and weight[e] is 1 / (n |mask of its image|). Unused entries have weight 0, so
 * that shapes do not depend on the masks.
 */
#include "task/patches.h"

#include <string.h>

#include "base/error.h"
#include "task/micro.h"

/* Returns the part that holds the global views, and the number of its views that are global. */
static hr_resolution *globals_of(hr_pretrain *self, int *views)
{
    hr_resolution *part = &self->student.part[0];

    *views = 0;
    while (*views < part->views && part->view[*views] < self->config.globals)
        ++*views;
    return part;
}

static int64_t list_room(const hr_pretrain *self)
{
    return hr_micro_images(self) * self->config.mask_most;
}

hirl_status hr_patches_declare(hr_pretrain *self)
{
    hr_inputs *inputs = &self->learner->inputs;
    hr_decisions *d = &self->decided;
    int globals;
    hr_resolution *part = globals_of(self, &globals);
    int64_t rows =
        part->views * self->config.learner.batch * hr_net_patches(&self->net, part->size);
    int64_t list = self->config.learner.accumulate * list_room(self);

    HR_TRY(hr_inputs_add(inputs, &part->kept, HR_REAL, 1, &rows));
    HR_TRY(hr_inputs_add(inputs, &part->masked, HR_REAL, 1, &rows));
    for (int j = 0; j < globals; j++) {
        int v = part->view[j];

        HR_TRY(hr_inputs_add(inputs, &d->place[v], HR_I32, 1, &list));
        HR_TRY(hr_inputs_add(inputs, &d->token[v], HR_I32, 1, &list));
        HR_TRY(hr_inputs_add(inputs, &d->weight[v], HR_REAL, 1, &list));
    }
    return HIRL_OK;
}

/* Writes 0 or 1 for each patch of all images, ordered by micro-batch, view and image. */
static void fill_masks(hr_pretrain *self, const hr_resolution *part, const hr_step_input *in)
{
    int64_t n = hr_micro_images(self), patches = hr_net_patches(&self->net, part->size), at = 0;
    real *kept = part->kept.host, *masked = part->masked.host;

    for (int64_t first = 0; first < in->n; first += n)
        for (int j = 0; j < part->views; j++) {
            const uint8_t *mask = in->mask[part->view[j]];

            for (int64_t i = 0; i < n * patches; i++, at++) {
                masked[at] = mask && mask[first * patches + i] ? 1 : 0;
                kept[at] = 1 - masked[at];
            }
        }
}

/* Writes the list of one view of one micro-batch. first_row: row of its first image in the pass;
 * mask NULL: nothing is masked. */
static hirl_status list_masked(hr_pretrain *self, int v, int64_t micro, int64_t first_row,
                               const uint8_t *mask, int64_t patches)
{
    hr_decisions *d = &self->decided;
    int64_t n = hr_micro_images(self), room = list_room(self), at = 0;
    int32_t *place = (int32_t *)d->place[v].host + micro * room;
    int32_t *token = (int32_t *)d->token[v].host + micro * room;
    real *weight = (real *)d->weight[v].host + micro * room;

    memset(place, 0, (size_t)room * sizeof *place);
    memset(token, 0, (size_t)room * sizeof *token);
    memset(weight, 0, (size_t)room * sizeof *weight);
    for (int64_t r = 0; r < n && mask; r++, mask += patches) {
        int64_t masked = 0;
        real each;

        for (int64_t i = 0; i < patches; i++)
            masked += mask[i];
        if (at + masked > room)
            return hr_fail(HIRL_E_INVALID,
                           "masks: more than %lld masked patches in %lld images of %lld patches, "
                           "which is the limit of mask_ratio",
                           (long long)room, (long long)n, (long long)patches);
        /* The compiler may divide before it knows that a patch is masked; an application that traps
         * divisions by 0 must not notice. */
        each = (real)1 / (real)(n * (masked ? masked : 1));
        for (int64_t i = 0; i < patches; i++)
            if (mask[i]) {
                place[at] = (int32_t)(r * patches + i);
                token[at] = (int32_t)((first_row + r) * (patches + 1) + 1 + i);
                weight[at++] = each;
            }
    }
    return HIRL_OK;
}

hirl_status hr_patches_fill(hr_pretrain *self, const hr_step_input *in)
{
    int globals;
    const hr_resolution *part = globals_of(self, &globals);
    int64_t n = hr_micro_images(self), patches = hr_net_patches(&self->net, part->size);

    fill_masks(self, part, in);
    for (int j = 0; j < globals; j++)
        for (int64_t m = 0; m < self->config.learner.accumulate; m++) {
            const uint8_t *mask = in->mask[part->view[j]];

            HR_TRY(list_masked(self, part->view[j], m, j * n, mask ? mask + m * n * patches : NULL,
                               patches));
        }
    return HIRL_OK;
}

/* head and last layer, as for class tokens */
static hr_tensor *scores_of(hr_pretrain *self, const hr_pass *pass, hr_tensor *tokens)
{
    hr_tensor *x = hr_convert(pass->tape, tokens, HR_REAL);

    return hr_net_out(&self->net, pass, hr_net_head(&self->net, pass, x));
}

static void encode_all(hr_seen *seen, hr_pretrain *self, const hr_pass *pass,
                       const hr_resolution *part, hr_tensor *tokens, int64_t n)
{
    hr_tensor *patches = hr_vit_patches(pass, tokens, part->views * n); /* [views n P, D] */
    hr_tensor *scores = scores_of(self, pass, patches);
    int64_t rows = n * hr_net_patches(&self->net, part->size);

    for (int j = 0; j < part->views; j++)
        seen->patches[part->view[j]] = hr_rows(pass->tape, scores, j * rows, rows);
}

void hr_patches_encode(hr_seen *seen, hr_pretrain *self, const hr_pass *pass, const hr_encoding *e,
                       hr_tensor *tokens, const hr_micro *micro)
{
    int globals;
    const hr_resolution *part = globals_of(self, &globals);
    int64_t room = list_room(self);

    if (e != &self->student) {
        encode_all(seen, self, pass, &e->part[0], tokens, micro->n);
        return;
    }
    for (int j = 0; j < globals; j++) {
        int v = part->view[j];
        hr_array token = hr_slice(&self->decided.token[v].device, micro->index * room, room);

        seen->patches[v] = scores_of(self, pass, hr_gather(pass->tape, tokens, &token));
    }
}
