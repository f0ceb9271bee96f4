/* tensors.h - a list of named host arrays with text metadata.
 *
 * Checkpoints, models and trees are such lists. safetensors.h writes and reads them as files.
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
    int32_t count, texts;
    hr_text_pair *text; /* __metadata__ */
    int64_t room, texts_room;
    bool checked;  /* the list was read from a file whose header has its checksum */
    bool foreign;  /* the list was read from a file that another program wrote */
    int32_t stale; /* tensors of a foreign file that differ from their checksums in it */
};

void hr_tensors_init(hr_tensors *list);
void hr_tensors_done(hr_tensors *list);

/* Adds an array of the caller, which must outlive the list. */
hirl_status hr_tensors_add(hr_tensors *list, const char *name, hr_dtype dtype, int32_t rank,
                           const int64_t *dim, const void *data);
/* Adds a new zeroed array owned by the list and returns its memory in *data. */
hirl_status hr_tensors_new(void **data, hr_tensors *list, const char *name, hr_dtype dtype,
                           int32_t rank, const int64_t *dim);
hirl_status hr_tensors_set_text(hr_tensors *list, const char *key, const char *value);
hirl_status hr_tensors_set_int(hr_tensors *list, const char *key, int64_t value);

const hr_named *hr_tensors_find(const hr_tensors *list, const char *name); /* NULL: none */
/* Finds an array of this type and shape (-1: any size). FORMAT when it is missing or differs. */
hirl_status hr_tensors_need(const hr_named **found, const hr_tensors *list, const char *name,
                            hr_dtype dtype, int32_t rank, const int64_t *dim);
const char *hr_tensors_text(const hr_tensors *list, const char *key); /* NULL: none */
hirl_status hr_tensors_int(int64_t *value, const hr_tensors *list, const char *key);

/* Bytes of a shape; LIMIT on overflow. */
hirl_status hr_tensors_size(size_t *bytes, const char *name, hr_dtype dtype, int32_t rank,
                            const int64_t *dim);
/* Metadata keys of the file format: those that begin with CRC hold the checksums of tensors,
 * HEADER_CRC holds that of the header, and MARK states that the file has both. */
#define HR_TENSORS_CRC "crc32."
#define HR_TENSORS_HEADER_CRC "crc32"
#define HR_TENSORS_MARK "checksums"
bool hr_tensors_reserved(const char *key); /* a metadata key of the file format */

#endif
