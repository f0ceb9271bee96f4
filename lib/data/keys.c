/* keys.c - the keys of a data set. */
#include "data/keys.h"

#include "data/dataset.h"

#define AT(field) offsetof(hr_data_config, field)

static const hr_key key[] = {
    { "data", HR_KEY_TEXT, "generated", 0, 0, NULL, false, "",
      "path of the images: a folder of JPEG or PNG, a list (.txt, .csv), CIFAR or STL-10 binary, "
      "IDX or .npy; or generated",
      AT(data) },
    { "split", HR_KEY_TEXT, "auto", 0, 0, NULL, false, "",
      "part of the data to use: auto (train), all, a name, or bank or queries of kNN", AT(split) },
    { "max_images", HR_KEY_INT, "0", 0, 1e12, NULL, false, "images",
      "use at most this many, evenly spread over the data; 0: all", AT(max_images) },
    { "exif", HR_KEY_FLAG, "1", 0, 1, NULL, false, "",
      "turn photos according to their Exif orientation tag", AT(exif) },
    { "max_pixels", HR_KEY_INT, "200000000", 1, 1 << 30, NULL, false, "pixels",
      "refuse to decode images with more pixels than this; a pixel takes 3 bytes of memory",
      AT(max_pixels) },
    { "generated_kind", HR_KEY_CHOICE, "shapes", 0, 0, "shapes strokes", false, "",
      "what data=generated draws: shapes, with classes of three levels; strokes: characters of ten "
      "alphabets, which small runs learn",
      AT(generated_kind) },
    { "generated_images", HR_KEY_INT, "4000", 1, 2147483647, NULL, false, "images",
      "number of images in the split train of data=generated", AT(generated_images) },
    { "generated_test_images", HR_KEY_INT, "1000", 1, 2147483647, NULL, false, "images",
      "number of images in the split test of data=generated", AT(generated_test_images) },
    { "generated_size", HR_KEY_INT, "32", 8, 4096, NULL, false, "pixels",
      "side length of the images of data=generated", AT(generated_size) },
    { "generated_seed", HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "",
      "seed of the images of data=generated; each seed is another data set", AT(generated_seed) },
};

const hr_keys hr_data_keys = { "data", key, sizeof key / sizeof *key };
