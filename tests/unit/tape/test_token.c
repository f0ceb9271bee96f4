/* test_token.c - tokens, positions and attention: values worked out by hand, and refused shapes. */
#include <check.h>
#include <math.h>

#include "cpu/cpu.h"
#include "support/run.h"
#include "support/tape.h"

static hr_test_tape here;

/* ---- positions ---- */

enum { FROM = 14, TO = 6 };

/* One ramp along the rows and one along the columns. The golden numbers are
 * those of torch.nn.functional.interpolate of torch.arange(14.) with
 * scale_factor 6.1 / 14, mode bicubic, in float64. */
START_TEST(resized_positions_match_pytorch)
{
    static const double golden[TO] = { .553535731,  2.918683722, 5.285233125,
                                       7.524625409, 9.781146880, 12.173553210 };
    static double table[1 + FROM * FROM][2], got[1 + TO * TO][2], want[1 + TO * TO][2];
    static real host[1 + TO * TO][1 + FROM * FROM];
    hr_array weight;
    hr_tensor *x, *y;

    table[0][0] = want[0][0] = 100;
    table[0][1] = want[0][1] = -100;
    for (int i = 0; i < FROM * FROM; i++) {
        table[1 + i][0] = i / FROM;
        table[1 + i][1] = 3 * (i % FROM);
    }
    for (int i = 0; i < TO * TO; i++) {
        want[1 + i][0] = golden[i / TO];
        want[1 + i][1] = 3 * golden[i % TO];
    }
    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 3, HR_DIM(1, 1 + FROM * FROM, 2), &table[0][0]);
    hr_position_weights(&host[0][0], FROM, TO);
    weight =
        hr_test_upload(&here.t, HR_REAL, 2, HR_DIM(1 + TO * TO, 1 + FROM * FROM), host, HR_REAL);
    y = hr_resize_positions(&here.t, x, TO, &weight);
    ck_assert_int_eq(y->x.dim[1], 1 + TO * TO);
    hr_test_read(&got[0][0], &here, &y->x);
    hr_assert_close(&got[0][0], &want[0][0], 2 * (1 + TO * TO), 4e-9, sizeof(real) > 4 ? 0 : 1e-6);
    ck_assert_ptr_eq(hr_resize_positions(&here.t, x, FROM, NULL), x);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(positions_that_form_no_square_or_have_no_weights_are_refused)
{
    hr_array weight;
    hr_tensor *x;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 3, HR_DIM(1, 4, 1), (double[]){ 1, 2, 3, 4 });
    hr_resize_positions(&here.t, x, 2, NULL);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "[1,4,1], new side 2");
    hr_tape_reset(&here.t);
    x = hr_test_leaf(&here, 3, HR_DIM(1, 2, 1), (double[]){ 1, 2 });
    hr_resize_positions(&here.t, x, 2, NULL);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INTERNAL, "no weights from 1 to 2");
    hr_tape_reset(&here.t);
    x = hr_test_leaf(&here, 3, HR_DIM(1, 2, 1), (double[]){ 1, 2 });
    weight = hr_test_array(&here, 2, HR_DIM(2, 2), (double[]){ 1, 0, 0, 1 });
    hr_resize_positions(&here.t, x, 2, &weight);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INTERNAL, "no weights from 1 to 2");
    hr_test_tape_done(&here);
}
END_TEST

/* ---- tokens ---- */

START_TEST(the_class_token_comes_first_and_positions_are_added)
{
    hr_tensor *x, *first, *position, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 1, 2, 3, 4 });
    first = hr_test_leaf(&here, 3, HR_DIM(1, 1, 1), (double[]){ 9 });
    position = hr_test_leaf(&here, 3, HR_DIM(1, 3, 1), (double[]){ 10, 20, 30 });
    y = hr_tokens(&here.t, x, first, position);
    hr_assert_values(&here, &y->x, 6, 19, 21, 32, 19, 23, 34);
    hr_assert_values(&here, &hr_strip(&here.t, y, 3, 0, 1)->x, 2, 19, 19);
    hr_assert_values(&here, &hr_strip(&here.t, y, 3, 1, 2)->x, 4, 21, 32, 23, 34);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(masked_tokens_are_replaced)
{
    hr_array kept, masked;
    hr_tensor *x, *token, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(3, 2), (double[]){ 1, 2, 3, 4, 5, 6 });
    token = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ -1, -2 });
    kept = hr_test_array(&here, 1, HR_DIM(3), (double[]){ 1, 0, 1 });
    masked = hr_test_array(&here, 1, HR_DIM(3), (double[]){ 0, 1, 0 });
    y = hr_mask_tokens(&here.t, x, token, &kept, &masked);
    hr_assert_values(&here, &y->x, 6, 1, 2, -1, -2, 5, 6);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(add_kept_scales_the_branch_of_each_block)
{
    hr_tensor *x, *branch, *keep;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 1, 2, 3, 4 });
    branch = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 10, 20, 30, 40 });
    keep = hr_test_constant(&here, 1, HR_DIM(2), (double[]){ 0, 1.25 });
    hr_assert_values(&here, &hr_add_kept(&here.t, x, branch, &keep->x)->x, 4, 1, 2, 40.5, 54);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(token_operations_name_the_shapes_they_refuse)
{
    hr_tensor *x, *one;
    hr_array two;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(3, 2), (double[]){ 1, 2, 3, 4, 5, 6 });
    one = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 2 });
    hr_tokens(&here.t, x, one, one);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "positions [1,2]");
    hr_test_tape_done(&here);
    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(3, 2), (double[]){ 1, 2, 3, 4, 5, 6 });
    hr_strip(&here.t, x, 3, 2, 2);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "2 of 3 tokens starting at token 2");
    hr_test_tape_done(&here);
    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(3, 2), (double[]){ 1, 2, 3, 4, 5, 6 });
    one = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 2 });
    two = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 0, 1 });
    hr_mask_tokens(&here.t, x, one, &two, &two);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "the mask has 2 rows");
    hr_test_tape_done(&here);
    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 5), (double[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 });
    hr_attention(&here.t, x, 2, 1);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "[2,5] for 2 tokens, 1 heads");
    hr_test_tape_done(&here);
}
END_TEST

/* ---- attention, GELU, layer norm ---- */

/* Scores of query 0 are 0 and log 3 (d = 1), so the weights are 1/4
 * and 3/4; scores of query 1 are 0 and 0. */
START_TEST(attention_weighs_the_values_by_softmax)
{
    hr_tensor *qkv;

    hr_test_tape_init(&here);
    qkv = hr_test_leaf(&here, 2, HR_DIM(2, 3), (double[]){ log(3), 0, 4, 0, 1, 8 });
    hr_assert_values(&here, &hr_attention(&here.t, qkv, 2, 1)->x, 2, 7, 6);
    hr_test_tape_done(&here);
}
END_TEST

enum { COLUMNS = 8, MOST_TOKENS = 2048 };

/* bytes that attention over `tokens` tokens uses, forward and
 * backward, with the scratch of the workers */
static double bytes_used(int64_t tokens)
{
    static double zero[MOST_TOKENS * 3 * COLUMNS];
    const hr_workspace *work;
    hr_tensor *qkv;
    double bytes;

    hr_test_tape_init(&here);
    work = here.q->work;
    qkv = hr_test_leaf(&here, 2, HR_DIM(tokens, 3 * COLUMNS), zero);
    hr_assert_ok(
        hr_tape_backward(&here.t, hr_mean(&here.t, hr_attention(&here.t, qkv, tokens, 1))));
    bytes = (double)here.t.device.used + (double)work->kernel.peak;
    for (int w = 0; w < hr_pool_threads(work->pool); w++)
        bytes += (double)work->scratch[w].bytes;
    hr_test_tape_done(&here);
    return bytes;
}

/* A table of scores would need 64 times the memory for 8 times the tokens. */
START_TEST(memory_of_attention_is_linear_in_the_tokens)
{
    double few = bytes_used(MOST_TOKENS / 8), many = bytes_used(MOST_TOKENS);

    ck_assert_msg(many < 8.5 * few, "%g bytes for %d tokens, %g for %d", few, MOST_TOKENS / 8, many,
                  MOST_TOKENS);
    ck_assert_msg(many < (double)MOST_TOKENS * MOST_TOKENS * sizeof(real), "%g bytes", many);
}
END_TEST

/* torch.nn.functional.gelu(torch.tensor([-1., 0, 1, 3], dtype=torch.float64)) */
START_TEST(gelu_matches_pytorch)
{
    hr_tensor *x;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 1, HR_DIM(4), (double[]){ -1, 0, 1, 3 });
    hr_assert_values(&here, &hr_gelu(&here.t, x)->x, 4, -0.158655253931457, 0, 0.841344746068543,
                     2.99595030590511);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(layer_norm_centres_and_scales_each_row)
{
    hr_tensor *x, *gamma, *shift;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, 3, 10, 2 });
    gamma = hr_test_leaf(&here, 1, HR_DIM(2), (double[]){ 2, 3 });
    shift = hr_test_leaf(&here, 1, HR_DIM(2), (double[]){ 0, 1 });
    hr_assert_values(&here, &hr_layer_norm(&here.t, x, gamma, shift, 0)->x, 4, -2, 4, 2, -2);
    hr_layer_norm(&here.t, x, gamma, x, 0);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "gamma [2], shift [2,2]");
    hr_test_tape_done(&here);
}
END_TEST

HR_TESTS("tape-token", resized_positions_match_pytorch,
         positions_that_form_no_square_or_have_no_weights_are_refused,
         the_class_token_comes_first_and_positions_are_added, masked_tokens_are_replaced,
         add_kept_scales_the_branch_of_each_block, token_operations_name_the_shapes_they_refuse,
         attention_weighs_the_values_by_softmax, memory_of_attention_is_linear_in_the_tokens,
         gelu_matches_pytorch, layer_norm_centres_and_scales_each_row)
