/* keys.c - options of a data set. */
#include "data/dataset.h"

#define AT(field) offsetof(hr_data_config, field)

static const hr_key key[] = {
    { "data", HR_KEY_TEXT, "generated", 0, 0, NULL, false, "",
      "where the images are: a folder, CIFAR binary, IDX, .npy, or generated", AT(data) },
    { "split", HR_KEY_TEXT, "auto", 0, 0, NULL, false, "",
      "part of the data: auto (train), all, a name, bank or queries (for kNN)", AT(split) },
    { "max_images", HR_KEY_INT, "0", 0, 1e12, NULL, false, "images",
      "use only so many, evenly spread over the set; 0: all", AT(max_images) },
    { "exif", HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
      "turn JPEG photos as their orientation tag says", AT(exif) },
    { "generated_images", HR_KEY_INT, "4000", 1, 2147483647, NULL, false, "images",
      "size of the split train of data=generated", AT(generated_images) },
    { "generated_test_images", HR_KEY_INT, "1000", 1, 2147483647, NULL, false, "images",
      "size of the split test of data=generated", AT(generated_test_images) },
    { "generated_size", HR_KEY_INT, "32", 8, 4096, NULL, false, "pixels",
      "side of the images of data=generated", AT(generated_size) },
    { "generated_seed", HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "",
      "which set data=generated is", AT(generated_seed) },
};

const hr_keys hr_data_keys = { "data", key, sizeof key / sizeof *key };
