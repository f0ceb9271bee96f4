/* tile_body.h - the tiles of one instruction set; tile.c includes this file once for each set.
 *
 * tile.c defines: NAME(x), which adds a suffix; TARGET, the function attribute; BYTES of a vector
 * register; TALL places times WIDE registers of a full tile; MULTIPLY_ADD(a, b, c) = a b + c.
 */

typedef real NAME(lanes) __attribute__((vector_size(BYTES)));
typedef NAME(lanes) NAME(memory) __attribute__((aligned(sizeof(real)), may_alias));

#define LANES ((int)(WIDE * BYTES / sizeof(real)))
#define lanes NAME(lanes)
#define memory NAME(memory)

/* acc[i] += sum of x times its row of the panel w, over the numbers x of the window at at[i] */
static inline __attribute__((always_inline)) TARGET void NAME(multiply)(
    lanes acc[][WIDE], const hr_cpu_sweep *s, const real *w, const int64_t *at, int height)
{
    for (int64_t row = 0; row < s->rows; row++) {
        const real *x[TALL];

        for (int i = 0; i < height; i++)
            x[i] = s->x + at[i] + row * s->row_stride;
        for (int64_t k = 0; k < s->run; k++, w += LANES) {
            lanes b[WIDE];

            for (int j = 0; j < WIDE; j++)
                b[j] = *(const memory *)(w + j * (LANES / WIDE));
            for (int i = 0; i < height; i++) {
                lanes a = x[i][k] - (lanes){ 0 };

                for (int j = 0; j < WIDE; j++)
                    acc[i][j] = MULTIPLY_ADD(a, b[j], acc[i][j]);
            }
        }
    }
}

/* y of the `height` places from p on */
static inline __attribute__((always_inline)) TARGET void NAME(places)(const hr_cpu_sweep *s,
                                                                      const real *w, int64_t p,
                                                                      int height)
{
    lanes acc[TALL][WIDE];
    real edge[LANES];

    for (int i = 0; i < height; i++) {
        const real *y = s->y + s->y_at[p + i];

        if (s->keep != 0 && s->width < LANES) {
            memset(edge, 0, sizeof edge);
            memcpy(edge, y, (size_t)s->width * sizeof *edge);
            y = edge;
        }
        for (int j = 0; j < WIDE; j++)
            acc[i][j] = (lanes){ 0 };
        for (int j = 0; j < WIDE && s->keep != 0; j++)
            acc[i][j] = s->keep * *(const memory *)(y + j * (LANES / WIDE));
    }
    NAME(multiply)(acc, s, w, s->x_at + p, height);
    for (int i = 0; i < height; i++) {
        real *y = s->width < LANES ? edge : s->y + s->y_at[p + i];

        for (int j = 0; j < WIDE; j++)
            *(memory *)(y + j * (LANES / WIDE)) = acc[i][j];
        if (s->width < LANES)
            memcpy(s->y + s->y_at[p + i], edge, (size_t)s->width * sizeof *edge);
    }
}

static TARGET void NAME(sweep)(const hr_cpu_sweep *s, const real *w)
{
    int64_t p = 0;

    for (; p + TALL <= s->places; p += TALL)
        NAME(places)(s, w, p, TALL);
    for (; p + TALL / 2 <= s->places; p += TALL / 2)
        NAME(places)(s, w, p, TALL / 2);
    for (; p < s->places; p++)
        NAME(places)(s, w, p, 1);
}

/* sum[i][.] += sum_p x[x_at[p] + i] dy[p][.] for `count` numbers i of the window */
static inline __attribute__((always_inline)) TARGET void NAME(outer)(real *sum, const real *x,
                                                                     const int64_t *x_at,
                                                                     const real *dy, int64_t places,
                                                                     int count)
{
    lanes acc[TALL][WIDE];

    for (int i = 0; i < count; i++)
        for (int j = 0; j < WIDE; j++)
            acc[i][j] = *(const memory *)(sum + i * LANES + j * (LANES / WIDE));
    for (int64_t p = 0; p < places; p++, dy += LANES) {
        const real *at = x + x_at[p];
        lanes b[WIDE];

        for (int j = 0; j < WIDE; j++)
            b[j] = *(const memory *)(dy + j * (LANES / WIDE));
        for (int i = 0; i < count; i++) {
            lanes a = at[i] - (lanes){ 0 };

            for (int j = 0; j < WIDE; j++)
                acc[i][j] = MULTIPLY_ADD(a, b[j], acc[i][j]);
        }
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < WIDE; j++)
            *(memory *)(sum + i * LANES + j * (LANES / WIDE)) = acc[i][j];
}

static TARGET void NAME(gather)(real *sum, const real *x, const int64_t *x_at, const real *dy,
                                int64_t places, int64_t run)
{
    int64_t i = 0;

    for (; i + TALL <= run; i += TALL)
        NAME(outer)(sum + i * LANES, x + i, x_at, dy, places, TALL);
    for (; i + TALL / 2 <= run; i += TALL / 2)
        NAME(outer)(sum + i * LANES, x + i, x_at, dy, places, TALL / 2);
    for (; i < run; i++)
        NAME(outer)(sum + i * LANES, x + i, x_at, dy, places, 1);
}

#undef lanes
#undef memory
#undef LANES
#undef NAME
#undef TARGET
#undef BYTES
#undef TALL
#undef WIDE
#undef MULTIPLY_ADD
