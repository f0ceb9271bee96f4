/* npy_keys.c - the keys of features in a file. */
#include "data/npy.h"

#define AT(field) offsetof(hr_feature_config, field)

static const hr_key key[] = {
    { "features_array", HR_KEY_TEXT, "", 0, 0, NULL, false, "",
      "name of the array of a .npz archive that holds the features; empty: the only one",
      AT(features_array) },
    { "features_bf16", HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
      "1: the features are bfloat16, saved as uint16", AT(features_bf16) },
};

const hr_keys hr_feature_keys = { "features", key, sizeof key / sizeof *key };
