/* mask.c - the patches of a view that are hidden from the student (iBOT: Zhou et al. 2022).
 *
 * The random stream (seed, MASK, view, epoch, image) decides in this order: whether the view has a
 * mask; the share r; the hidden patches. The target is t = r h w for a grid of h x w patches (t is
 * not rounded).
 *
 * Blocks: while fewer than t patches are hidden, try to add a block:
 *
 *     area ~ U(floor(min(h, w) / 3)^2, t - hidden), aspect = exp U(ln 0.3, -ln 0.3)
 *     bh = round sqrt(area aspect), bw = round sqrt(area / aspect)         rounding half to even
 *     reject it unless bh < h and bw < w
 *     top, left: uniform over the h - bh + 1 and w - bw + 1 positions
 *     accept it if it hides at least one new patch, and at most t - hidden new ones
 *
 * Ten rejected tries in a row end the mask, so at most t patches are hidden; on a 14 x 14 grid the
 * mean is 98 % of t.
 *
 * Scattered: floor(t) patches, every set equally likely (Knuth 3.4.2, algorithm S).
 */
#include "ssl/mask.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

enum { TRIES = 10 };
static const double FLATTEST = 0.3; /* smallest height / width of a block */

typedef struct grid {
    uint8_t *mask;
    int64_t h, w;
} grid;

typedef struct block {
    int64_t top, left, h, w;
} block;

/* Returns false if the block does not fit into the grid. */
static bool draw_block(block *b, const grid *g, double left_over, hr_rng *rng)
{
    int64_t third = (g->h < g->w ? g->h : g->w) / 3;
    double area = hr_rng_range(rng, (double)(third * third), left_over);
    double aspect = exp(hr_rng_range(rng, log(FLATTEST), -log(FLATTEST)));

    b->h = (int64_t)rint(sqrt(area * aspect));
    b->w = (int64_t)rint(sqrt(area / aspect));
    if (b->h >= g->h || b->w >= g->w)
        return false;
    b->top = hr_rng_below(rng, (uint32_t)(g->h - b->h + 1));
    b->left = hr_rng_below(rng, (uint32_t)(g->w - b->w + 1));
    return true;
}

static int64_t hidden_in(const block *b, const grid *g)
{
    int64_t n = 0;

    for (int64_t y = b->top; y < b->top + b->h; y++)
        for (int64_t x = b->left; x < b->left + b->w; x++)
            n += g->mask[y * g->w + x];
    return n;
}

/* Adds one block. Returns the number of patches that it newly hides; 0: all tries were rejected. */
static int64_t add_block(const grid *g, double left_over, hr_rng *rng)
{
    for (int i = 0; i < TRIES; i++) {
        block b;
        int64_t more;

        if (!draw_block(&b, g, left_over, rng))
            continue;
        more = b.h * b.w - hidden_in(&b, g);
        if (more < 1 || (double)more > left_over)
            continue;
        for (int64_t y = b.top; y < b.top + b.h; y++)
            memset(g->mask + y * g->w + b.left, 1, (size_t)b.w);
        return more;
    }
    return 0;
}

static int64_t add_blocks(const grid *g, double target, hr_rng *rng)
{
    int64_t hidden = 0, more = 1;

    while (more && (double)hidden < target) {
        more = add_block(g, target - (double)hidden, rng);
        hidden += more;
    }
    return hidden;
}

static int64_t scatter(const grid *g, double target, hr_rng *rng)
{
    int64_t cells = g->h * g->w, wanted = (int64_t)target, hidden = 0;

    for (int64_t i = 0; i < cells && hidden < wanted; i++)
        if (hr_rng_below(rng, (uint32_t)(cells - i)) < wanted - hidden) {
            g->mask[i] = 1;
            hidden++;
        }
    return hidden;
}

int64_t hr_mask_draw(uint8_t *mask, int64_t h, int64_t w, const hr_mask_config *config,
                     uint64_t seed, int64_t epoch, int64_t image, int32_t view)
{
    grid g = { mask, h, w };
    double chance, target;
    hr_rng rng;

    memset(mask, 0, (size_t)(h * w));
    hr_rng_init(&rng, seed, HR_RNG_MASK, (uint32_t)view, (uint32_t)epoch, (uint32_t)image);
    chance = hr_rng_uniform(&rng);
    target = (double)(h * w) *
             hr_rng_range(&rng, config->ratio - config->spread, config->ratio + config->spread);
    if (!(chance < config->p))
        return 0;
    return config->scattered ? scatter(&g, target, &rng) : add_blocks(&g, target, &rng);
}
