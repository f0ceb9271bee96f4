/* directory_state.h - the open directory of a run. */
#ifndef HR_DIRECTORY_STATE_H
#define HR_DIRECTORY_STATE_H

#include "types.h"

enum { HR_DIRECTORY_FOLDERS = 2 };

typedef struct hr_directory {
    char *path;   /* NULL: the run has no directory, and writing does nothing */
    int32_t rank; /* rank in a distributed run: 0 writes, the others only read */
    int lock;     /* file descriptor of LOCK, -1: none */
    bool made, made_lock, made_folder[HR_DIRECTORY_FOLDERS]; /* created by this run */
    bool written;      /* a file of the run has been written */
    bool goes_on;      /* the run resumes from a checkpoint */
    bool has_settings; /* it contains the config.yaml of a run, so overwrite=1 is accepted */
} hr_directory;

/* there is a directory, and this rank writes to it; otherwise the calls that write do nothing */
static inline bool hr_directory_writes(const hr_directory *directory)
{
    return directory->path && !directory->rank;
}

#endif
