/* tensors.h - a list of named host arrays with text metadata: what checkpoints, models and trees
 * are made of. tensors.c keeps the list; safetensors.c writes and reads it as a file.
 */
#ifndef HR_TENSORS_H
#define HR_TENSORS_H

#include "array.h"
#include "types.h"

enum { HR_TENSORS_RANK = 8, HR_TENSORS_NAME = 256 };

typedef struct hr_named {
    char name[HR_TENSORS_NAME];
    hr_dtype dtype;
    int32_t rank;
    int64_t dim[HR_TENSORS_RANK];
    void *data; /* host */
    size_t bytes;
    bool owned; /* freed with the list */
} hr_named;

typedef struct hr_text_pair {
    char *key, *value;
} hr_text_pair;

struct hr_tensors {
    hr_named *item;
    int32_t count, room;
    hr_text_pair *text; /* __metadata__ */
    int32_t texts, texts_room;
};

void hr_tensors_init(hr_tensors *list);
void hr_tensors_done(hr_tensors *list);

/* a borrowed array: lives longer than the list */
hirl_status hr_tensors_add(hr_tensors *list, const char *name, hr_dtype dtype, int32_t rank,
                           const int64_t *dim, const void *data);
/* a new zeroed array owned by the list; *data is where to write */
hirl_status hr_tensors_new(void **data, hr_tensors *list, const char *name, hr_dtype dtype,
                           int32_t rank, const int64_t *dim);
hirl_status hr_tensors_set_text(hr_tensors *list, const char *key, const char *value);
hirl_status hr_tensors_set_int(hr_tensors *list, const char *key, int64_t value);

const hr_named *hr_tensors_find(const hr_tensors *list, const char *name); /* NULL: not there */
/* FORMAT when it is missing or has another type or shape; dim -1: any */
hirl_status hr_tensors_need(const hr_named **found, const hr_tensors *list, const char *name,
                            hr_dtype dtype, int32_t rank, const int64_t *dim);
const char *hr_tensors_text(const hr_tensors *list, const char *key); /* NULL: not there */
hirl_status hr_tensors_int(int64_t *value, const hr_tensors *list, const char *key);

/* Written atomically (file.h) with a CRC-32 of each tensor in the metadata ("crc32.<name>"). Equal
 * lists give equal bytes, whatever their order. */
hirl_status hr_tensors_save(const hr_tensors *list, const char *path);
/* Everything checked before anything is allocated from header numbers; CRCs verified when present.
 * list: not initialised before; on failure there is nothing to free. */
hirl_status hr_tensors_load(hr_tensors *list, const char *path);

/* for safetensors.c: bytes of a shape; LIMIT on overflow */
hirl_status hr_tensors_size(size_t *bytes, const char *name, hr_dtype dtype, int32_t rank,
                            const int64_t *dim);
/* text keys that begin so belong to the file */
#define HR_TENSORS_CRC "crc32."

#endif
