/* test_untrained.c - the accuracy of an untrained network on the generated images stays low. */
#include <hirl/hirl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "small_network.h"
#include "support/close.h"
#include "support/run.h"

START_TEST(an_untrained_network_finds_few_fine_classes)
{
    hirl_knn_score report = { .struct_size = sizeof report };
    int32_t *bank_label, *query_label;
    float *bank, *query;
    small_network s;

    small_network_open(&s);
    bank = small_network_embed(&s, HR_LAYER_BACKBONE, s.train, &bank_label);
    query = small_network_embed(&s, HR_LAYER_BACKBONE, s.test, &query_label);
    hr_assert_ok(hirl_knn_evaluate(&report, s.context, bank, bank_label, s.train->count, query,
                                   query_label, s.test->count, s.net.backbone_dim, NULL));
    ck_assert_msg(report.best_top1 <= 0.30, "%.1f %% of fine classes are found",
                  100 * report.best_top1);
    printf("# best of K: %.1f %% of fine classes are found\n", 100 * report.best_top1);
    hr_free(bank);
    hr_free(query);
    hr_free(bank_label);
    hr_free(query_label);
    small_network_close(&s);
}
END_TEST

HR_TESTS("untrained", an_untrained_network_finds_few_fine_classes)
