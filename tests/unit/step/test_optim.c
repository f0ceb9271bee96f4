/* test_optim.c - optimisers over parameter groups: values of torch.optim, numbers
 * of threads, checkpoints, weight decay. */
#include "step/optim.h"

#include "base/alloc.h"
#include "golden/optim_values.h"
#include "support/kernels.h"
#include "support/run.h"

/* ---- the parameters of tests/golden/optim.py ---- */

enum { SLOTS = 9, STEPS = 6, NUMBERS = 54, LARGE = 100003 };
enum { WEIGHTS, PLAIN, LATE, LAST };

typedef struct shape {
    const char *name;
    int32_t rank;
    int64_t dim[3];
    int8_t group;
} shape;

static const shape shapes[SLOTS] = {
    { "a.weight", 2, { 3, 4 }, WEIGHTS }, { "a.bias", 1, { 4 }, PLAIN },
    { "norm.weight", 1, { 5 }, PLAIN },   { "pos", 3, { 1, 2, 3 }, WEIGHTS },
    { "b.weight", 2, { 2, 3 }, WEIGHTS }, { "last.weight", 2, { 3, 2 }, LAST },
    { "zero.bias", 1, { 3 }, PLAIN },     { "h.weight", 2, { 3, 3 }, LATE },
    { "h.bias", 1, { 3 }, LATE },
};

typedef struct trial {
    hr_queue *queue;
    hr_layout layout, norms;
    hr_weights weights;
    hr_optim *optim;
    hr_optim_config config;
} trial;

static const hr_optim_config sgd = { .kind = HR_OPTIM_SGD };
static const hr_optim_config larc = { .kind = HR_OPTIM_LARC, .trust = 1e-3, .eps = 1e-8 };
static const hr_optim_config lars = {
    .kind = HR_OPTIM_LARS, .trust = 1e-3, .eps = 1e-8, .plain = 1u << PLAIN
};
static const hr_optim_config adamw = {
    .kind = HR_OPTIM_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-6
};

/* Gradient number i of step s; step -1: initial value of parameter number i. */
static double number(int64_t i, int64_t s)
{
    return ((double)((37 * i + 101 * (s + 1)) % 64) - 31.5) / 32;
}

static void fill_slots(trial *t, const hr_array *flat, int64_t step)
{
    int64_t first = 0;

    for (int s = 0; s < t->layout.count; s++) {
        const hr_slot *slot = &t->layout.slot[s];
        hr_array x = hr_slice(flat, slot->offset, slot->count);
        double scale = step < 0 && !strcmp(slot->name, "zero.bias") ? 0 : 1;

        for (int64_t i = 0; i < slot->count; i++)
            hr_put(&x, i, (real)(scale * number(first + i, step)));
        first += slot->count;
    }
}

/* large: adds a weight that spans several chunks of a kernel */
static void open_trial(trial *t, int threads, const hr_optim_config *config, bool large)
{
    static const int64_t many[] = { LARGE, 1 };
    int8_t group[SLOTS + 1] = { [SLOTS] = WEIGHTS };

    memset(t, 0, sizeof *t);
    t->queue = hr_test_queue(threads);
    t->config = *config;
    for (int s = 0; s < SLOTS; s++) {
        ck_assert_int_eq(hr_layout_add(&t->layout, shapes[s].name, HR_FIRST_ZERO, 1, shapes[s].rank,
                                       shapes[s].dim),
                         s);
        group[s] = shapes[s].group;
    }
    if (large)
        ck_assert_int_eq(hr_layout_add(&t->layout, "large.weight", HR_FIRST_ZERO, 1, 2, many),
                         SLOTS);
    hr_assert_ok(hr_weights_create(&t->weights, t->queue, &t->layout, t->layout.count, &t->norms, 0,
                                   true, false));
    hr_assert_ok(hr_optim_create(&t->optim, t->queue, &t->layout, group, config));
    fill_slots(t, &t->weights.value, -1);
}

static void close_trial(trial *t)
{
    hr_optim_destroy(t->optim);
    hr_weights_done(&t->weights);
    hr_layout_done(&t->layout);
}

static void take_steps(trial *t, int from, int to)
{
    static const double decay[] = { 0.1, 0, 0.02, 0.1 };

    for (int step = from; step < to; step++) {
        uint32_t live = 1u << WEIGHTS | 1u << PLAIN | 1u << LAST, updated;
        hr_scalars s = { .step = step };

        live |= step >= 3 ? 1u << LATE : 0;
        updated = step < 2 ? live & ~(1u << LAST) : live;
        for (int g = 0; g < 4; g++) {
            s.rate[g] = (g + 1) * 0.1 / (step + 1);
            s.decay[g] = decay[g];
            s.momentum[g] = 0.9;
        }
        hr_optim_scalars(&s, t->optim, updated);
        t->queue->be->scalars(t->queue, &s);
        fill_slots(t, &t->weights.grad, step);
        hr_optim_clip(t->optim, &t->weights, live);
        hr_optim_trust(t->optim, &t->weights, updated);
        hr_optim_step(t->optim, &t->weights, updated);
        hr_test_sync(t->queue);
    }
}

/* ---- against torch.optim ---- */

static void check_values(const hr_optim_config *config, const double *want)
{
    real got[NUMBERS];
    int64_t n = 0;
    trial t;

    open_trial(&t, 2, config, false);
    take_steps(&t, 0, STEPS);
    for (int s = 0; s < SLOTS; s++)
        for (int64_t i = 0; i < t.layout.slot[s].count; i++)
            got[n++] = hr_at(&t.weights.value, t.layout.slot[s].offset + i);
    ck_assert_int_eq(n, NUMBERS);
    hr_assert_close(got, want, n, 32 * hr_epsilon(), 0);
    close_trial(&t);
}

START_TEST(sgd_matches_torch)
{
    check_values(&sgd, sgd_values);
}
END_TEST

START_TEST(larc_matches_its_formula_followed_by_torchs_sgd)
{
    check_values(&larc, larc_values);
}
END_TEST

START_TEST(lars_is_larc_without_adaptation_of_biases_and_norms)
{
    check_values(&lars, lars_values);
}
END_TEST

START_TEST(adamw_matches_torch)
{
    check_values(&adamw, adamw_values);
}
END_TEST

START_TEST(adamw_with_each_tensor_clipped_matches_torch)
{
    hr_optim_config config = adamw;

    config.clip = HR_CLIP_TENSOR;
    config.clip_limit = 0.3;
    check_values(&config, adamw_tensor_values);
}
END_TEST

START_TEST(adamw_with_the_global_norm_clipped_matches_torch)
{
    hr_optim_config config = adamw;

    config.clip = HR_CLIP_GLOBAL;
    config.clip_limit = 0.3;
    check_values(&config, adamw_global_values);
}
END_TEST

/* ---- groups without a step ---- */

START_TEST(a_group_without_a_step_keeps_its_bits)
{
    const hr_optim_config *each[] = { &sgd, &larc, &lars, &adamw };

    for (int k = 0; k < 4; k++) {
        hr_array before = hr_guarded(HR_REAL, 9, 0, 0, 0), h;
        trial t;

        open_trial(&t, 1, each[k], false);
        h = hr_slice(&t.weights.value, t.layout.slot[7].offset, 9);
        memcpy(before.data, h.data, hr_bytes(&h));
        take_steps(&t, 0, 3);
        ck_assert_mem_eq(h.data, before.data, hr_bytes(&h));
        take_steps(&t, 3, 4);
        for (int i = 0; i < 9; i++)
            ck_assert(hr_at(&h, i) != hr_at(&before, i));
        close_trial(&t);
        hr_drop(&before);
    }
}
END_TEST

START_TEST(a_parameter_of_no_group_is_never_changed)
{
    static const int8_t none[SLOTS] = { WEIGHTS, -1, -1, WEIGHTS, -1, -1, -1, -1, -1 };
    hr_optim_config config = adamw;
    trial t;

    config.clip = HR_CLIP_GLOBAL;
    config.clip_limit = 1e-3;
    open_trial(&t, 1, &adamw, false);
    hr_optim_destroy(t.optim);
    hr_assert_ok(hr_optim_create(&t.optim, t.queue, &t.layout, none, &config));
    take_steps(&t, 0, STEPS);
    for (int s = 0, at = 0; s < SLOTS; s++)
        for (int i = 0; i < t.layout.slot[s].count; i++, at++) {
            double value = (double)hr_at(&t.weights.value, t.layout.slot[s].offset + i);
            double first = strcmp(t.layout.slot[s].name, "zero.bias") ? number(at, -1) : 0;

            if (none[s] < 0)
                ck_assert_double_eq(value, first);
            else
                ck_assert_double_ne(value, first);
        }
    close_trial(&t);
}
END_TEST

START_TEST(a_group_without_a_gradient_adds_nothing_to_the_global_norm)
{
    hr_optim_config config = adamw;
    trial before, fresh;

    config.clip = HR_CLIP_GLOBAL;
    config.clip_limit = 0.3;
    open_trial(&before, 1, &config, false);
    open_trial(&fresh, 1, &config, false);
    fill_slots(&before, &before.weights.grad, 0);
    hr_optim_clip(before.optim, &before.weights, 1u << WEIGHTS | 1u << LATE);
    fill_slots(&before, &before.weights.grad, 0);
    fill_slots(&fresh, &fresh.weights.grad, 0);
    hr_optim_clip(before.optim, &before.weights, 1u << WEIGHTS);
    hr_optim_clip(fresh.optim, &fresh.weights, 1u << WEIGHTS);
    hr_test_sync(before.queue);
    ck_assert_mem_eq(before.weights.grad.data, fresh.weights.grad.data,
                     hr_bytes(&fresh.weights.grad));
    close_trial(&before);
    close_trial(&fresh);
}
END_TEST

/* ---- out of memory ---- */

enum { UNUSED = 3 }; /* threads: no other test uses this queue, so it has no workspace yet */

static void upload_scalars(trial *t, uint32_t groups)
{
    static hr_scalars s; /* the queue reads it until the next upload */

    s = (hr_scalars){ .rate = { 0.1, 0.1 }, .decay = { 0.1 }, .momentum = { 0.9, 0.9 } };
    hr_optim_scalars(&s, t->optim, groups);
    t->queue->be->scalars(t->queue, &s);
    fill_slots(t, &t->weights.grad, 0);
}

START_TEST(running_out_of_memory_changes_nothing)
{
    uint32_t groups = 1u << WEIGHTS | 1u << PLAIN;
    hr_optim_config each[] = { sgd, larc, adamw };

    each[2].clip = HR_CLIP_TENSOR;
    each[2].clip_limit = 0.3;
    for (int k = 0; k < 3; k++) {
        int64_t before;
        trial t;

        open_trial(&t, UNUSED, &each[k], true);
        upload_scalars(&t, groups);
        before = hr_alloc_total();
        hr_optim_step(t.optim, &t.weights, groups);
        hr_test_sync(t.queue);
        ck_assert_int_eq(hr_alloc_total(), before);
        close_trial(&t);
    }
    for (int k = 1; k < 3; k++) {
        trial t, untouched;

        open_trial(&t, UNUSED, &each[k], true);
        open_trial(&untouched, 1, &each[k], true);
        upload_scalars(&t, groups);
        hr_alloc_fail_at(1, true);
        hr_optim_clip(t.optim, &t.weights, groups);
        hr_optim_trust(t.optim, &t.weights, groups);
        hr_alloc_fail_at(0, false);
        hr_assert_fails(t.queue->be->sync(t.queue), HIRL_E_NOMEM, "memory");
        ck_assert_mem_eq(t.weights.value.data, untouched.weights.value.data,
                         hr_bytes(&t.weights.value));
        close_trial(&t);
        close_trial(&untouched);
    }
}
END_TEST

/* ---- the same bits ---- */

START_TEST(thread_counts_give_the_same_bits)
{
    static const int threads[] = { 1, 2, 7 };
    hr_optim_config each[] = { sgd, larc, adamw };

    each[1].clip = HR_CLIP_TENSOR;
    each[2].clip = HR_CLIP_GLOBAL;
    for (int k = 0; k < 3; k++) {
        trial t[3];

        each[k].clip_limit = 0.3;
        for (int i = 0; i < 3; i++) {
            open_trial(&t[i], threads[i], &each[k], true);
            take_steps(&t[i], 0, STEPS);
            ck_assert_mem_eq(t[i].weights.value.data, t[0].weights.value.data,
                             hr_bytes(&t[0].weights.value));
        }
        for (int i = 0; i < 3; i++)
            close_trial(&t[i]);
    }
}
END_TEST

START_TEST(a_saved_optimiser_resumes_to_the_same_bits)
{
    const hr_optim_config *each[] = { &sgd, &larc, &adamw, &lars };

    for (int k = 0; k < 4; k++)
        for (int stop = 1; stop < STEPS; stop++) {
            hr_tensors state;
            trial whole, part, rest;

            hr_tensors_init(&state);
            open_trial(&whole, 2, each[k], true);
            open_trial(&part, 2, each[k], true);
            open_trial(&rest, 1, each[k], true);
            take_steps(&whole, 0, STEPS);
            take_steps(&part, 0, stop);
            hr_assert_ok(hr_optim_save(&state, part.optim));
            hr_weights_copy(&rest.weights, &part.weights);
            hr_assert_ok(hr_optim_load(rest.optim, &state));
            take_steps(&rest, stop, STEPS);
            ck_assert_mem_eq(rest.weights.value.data, whole.weights.value.data,
                             hr_bytes(&whole.weights.value));
            close_trial(&whole);
            close_trial(&part);
            close_trial(&rest);
            hr_tensors_done(&state);
        }
}
END_TEST

START_TEST(a_state_is_named_by_parameter_and_needs_every_name)
{
    hr_tensors of_sgd, of_adamw;
    trial s, a;

    hr_tensors_init(&of_sgd);
    hr_tensors_init(&of_adamw);
    open_trial(&s, 1, &sgd, false);
    open_trial(&a, 1, &adamw, false);
    hr_assert_ok(hr_optim_save(&of_sgd, s.optim));
    hr_assert_ok(hr_optim_save(&of_adamw, a.optim));
    ck_assert_int_eq(of_sgd.count, SLOTS + 1);
    ck_assert_int_eq(of_adamw.count, 2 * SLOTS + 1);
    ck_assert_ptr_nonnull(hr_tensors_find(&of_sgd, "momentum.h.bias"));
    ck_assert_ptr_nonnull(hr_tensors_find(&of_adamw, "adam_m.pos"));
    ck_assert_ptr_nonnull(hr_tensors_find(&of_adamw, "adam_v.last.weight"));
    ck_assert_ptr_nonnull(hr_tensors_find(&of_adamw, "optim.steps"));
    hr_assert_fails(hr_optim_load(a.optim, &of_sgd), HIRL_E_FORMAT, "adam_m");
    close_trial(&s);
    close_trial(&a);
    hr_tensors_done(&of_sgd);
    hr_tensors_done(&of_adamw);
}
END_TEST

START_TEST(a_state_of_version_0_1_without_step_counts_resumes)
{
    hr_tensors state, old;
    trial whole, part;

    hr_tensors_init(&state);
    hr_tensors_init(&old);
    open_trial(&whole, 1, &sgd, false);
    open_trial(&part, 1, &sgd, false);
    take_steps(&whole, 0, STEPS);
    take_steps(&part, 0, 2);
    hr_assert_ok(hr_optim_save(&state, part.optim));
    for (int i = 0; i < SLOTS; i++) { /* version 0.1 wrote only these tensors */
        const hr_named *item = &state.item[i];

        ck_assert(!strncmp(item->name, "momentum.", 9));
        hr_assert_ok(
            hr_tensors_add(&old, item->name, item->dtype, item->rank, item->dim, item->data));
    }
    hr_assert_ok(hr_optim_load(part.optim, &old));
    take_steps(&part, 2, STEPS);
    ck_assert_mem_eq(part.weights.value.data, whole.weights.value.data,
                     hr_bytes(&whole.weights.value));
    close_trial(&whole);
    close_trial(&part);
    hr_tensors_done(&old);
    hr_tensors_done(&state);
}
END_TEST

/* ---- weight decay ---- */

START_TEST(biases_and_vectors_are_exempt_from_decay)
{
    /* DINO's official program exempts parameters whose name ends
     * in "bias" or that have one dimension. */
    static const struct {
        hr_slot slot;
        bool plain;
    } all[] = {
        { { .name = "blocks.0.attn.qkv.bias", .rank = 1 }, true },
        { { .name = "blocks.0.norm1.weight", .rank = 1 }, true },
        { { .name = "table.bias", .rank = 2 }, true },
        { { .name = "blocks.0.attn.qkv.weight", .rank = 2 }, false },
        { { .name = "bias.weight", .rank = 2 }, false },
        { { .name = "pos_embed", .rank = 3 }, false },
        { { .name = "cls_token", .rank = 3 }, false },
        { { .name = "mask_token", .rank = 2 }, false },
        { { .name = "v", .rank = 2 }, false },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_msg(hr_optim_plain(&all[i].slot) == all[i].plain, "%s", all[i].slot.name);
}
END_TEST

HR_TESTS("train-optim", sgd_matches_torch, lars_is_larc_without_adaptation_of_biases_and_norms,
         larc_matches_its_formula_followed_by_torchs_sgd, adamw_matches_torch,
         adamw_with_each_tensor_clipped_matches_torch,
         adamw_with_the_global_norm_clipped_matches_torch, a_group_without_a_step_keeps_its_bits,
         a_group_without_a_gradient_adds_nothing_to_the_global_norm,
         running_out_of_memory_changes_nothing, a_parameter_of_no_group_is_never_changed,
         thread_counts_give_the_same_bits, a_saved_optimiser_resumes_to_the_same_bits,
         a_state_is_named_by_parameter_and_needs_every_name,
         a_state_of_version_0_1_without_step_counts_resumes,
         biases_and_vectors_are_exempt_from_decay)
