/* small_trainer.h - whole runs on 64 striped images of 16 x 16 pixels through the public interface,
 * which can be stopped at any poll and resumed. */
#ifndef SMALL_TRAINER_H
#define SMALL_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hirl/hirl.h>

enum {
    SMALL_IMAGES = 64,
    SMALL_SIDE = 16,
    SMALL_BATCH = 16,
    SMALL_PER_EPOCH = 4,
    SMALL_POLLS = 512
};

typedef const char *const small_pair[2]; /* key, value */

typedef struct small_trainer {
    hirl_options *options;
    hirl_context *context;
    hirl_dataset *images;
    hirl_trainer *trainer;
} small_trainer;

/* the phase of each poll (call of the progress callback) of a run: train, extract, cluster */
typedef struct small_polls {
    int count;
    char phase[SMALL_POLLS]; /* first letters */
} small_polls;

extern uint8_t small_pixels[SMALL_IMAGES][SMALL_SIDE][SMALL_SIDE][3];
/* n > 0: images come from a callback that fails for every n-th image; 0: from memory */
extern int small_unreadable;
/* communicator of the contexts that this thread makes; NULL: one rank */
extern _Thread_local struct hr_comm *small_comm;
/* if not NULL, called with each new trainer before its first
 * step; sets the callbacks of method=own */
extern void (*small_made)(hirl_trainer *trainer);

/* `over` holds lists of settings that override the common ones; of equal keys the last one counts.
 * Each list ends with a NULL key, `over` with a NULL list. */
void small_trainer_open(small_trainer *t, int threads, const small_pair *const *over);
void small_trainer_close(small_trainer *t);
void small_trainer_steps(small_trainer *t, int steps);
/* Returns the bytes of a checkpoint of the current state; the caller frees them. */
char *small_trainer_state(size_t *bytes, small_trainer *t);

/* Makes an uninterrupted run and returns its final state; the
 * caller frees it. `polls` may be NULL. */
char *small_trainer_run(size_t *bytes, small_polls *polls, int threads,
                        const small_pair *const *over);
/* The poll (from 1) in the middle of the n-th stretch (from 0) of polls of one
 * phase; 0 if there are fewer stretches. */
int small_polls_middle(const small_polls *polls, int n);
/* Stops a run at poll n (from 1), saves it, and resumes it in a new trainer with another number of
 * threads. Checks that the final state equals `whole`. Returns false if the run has fewer polls. */
bool small_trainer_stop(int n, const char *whole, size_t bytes, const small_pair *const *over);

#endif
