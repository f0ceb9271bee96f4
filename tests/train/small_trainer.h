/* small_trainer.h - whole runs on 64 drawn images of 16 pixels through the public interface, stopped anywhere
 * and gone on with. */
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

/* phase of each poll of a run: train, extract, cluster */
typedef struct small_polls {
    int count;
    char phase[SMALL_POLLS]; /* first letters */
} small_polls;

extern uint8_t small_pixels[SMALL_IMAGES][SMALL_SIDE][SMALL_SIDE][3];
/* n > 0: the images come from a callback, which cannot read every n-th; 0: from memory */
extern int small_unreadable;
/* not NULL: sees each trainer that is made, before its first step; gives method=own its functions */
extern void (*small_made)(hirl_trainer *trainer);

/* `over`: lists of settings over the common ones, later ones count; each ends with a NULL key, `over`
 * with a NULL list */
void small_trainer_open(small_trainer *t, int threads, const small_pair *const *over);
void small_trainer_close(small_trainer *t);
/* the bytes of a checkpoint of this moment, ended with free */
char *small_trainer_state(size_t *bytes, small_trainer *t);

/* the last state of an uninterrupted run; polls may be NULL */
char *small_trainer_run(size_t *bytes, small_polls *polls, int threads,
                        const small_pair *const *over);
/* middle of the n-th stretch (from 0) of polls of one phase, as a poll from 1; 0: there are fewer */
int small_polls_middle(const small_polls *polls, int n);
/* Stops a run at poll n (from 1), saves it, goes on in a new trainer on another number of threads:
 * the end is that of `whole` to the bit. false: there are fewer polls */
bool small_trainer_stop(int n, const char *whole, size_t bytes, const small_pair *const *over);

#endif
