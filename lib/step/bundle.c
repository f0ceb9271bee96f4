/* bundle.c - arrays that are copied to or from the device in one transfer. */
#include "step/bundle.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { ALIGNMENT = 64, FIRST_ROOM = 16 };

void hr_bundle_init(hr_bundle *bundle, hr_queue *queue)
{
    *bundle = (hr_bundle){ .queue = queue };
}

static hirl_status grow(hr_bundle *bundle)
{
    int32_t room = bundle->room ? 2 * bundle->room : FIRST_ROOM;
    hr_cell **cell = hr_alloc_array((size_t)room, sizeof(hr_cell *));

    if (!cell)
        return HIRL_E_NOMEM;
    if (bundle->count)
        memcpy(cell, bundle->cell, (size_t)bundle->count * sizeof *cell);
    hr_free(bundle->cell);
    bundle->cell = cell;
    bundle->room = room;
    return HIRL_OK;
}

hirl_status hr_bundle_add(hr_bundle *bundle, hr_cell *cell, hr_dtype dtype, int rank,
                          const int64_t *dim)
{
    if (bundle->count == bundle->room)
        HR_TRY(grow(bundle));
    *cell = (hr_cell){ .device = { NULL, dtype, rank, { 1, 1, 1, 1 } } };
    memcpy(cell->device.dim, dim, (size_t)rank * sizeof *dim);
    bundle->cell[bundle->count++] = cell;
    return HIRL_OK;
}

static size_t room_of(const hr_cell *cell)
{
    size_t bytes = hr_bytes(&cell->device);

    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

hirl_status hr_bundle_take(hr_bundle *bundle, const char *what)
{
    size_t bytes = 0, at = 0;

    for (int32_t i = 0; i < bundle->count; i++)
        bytes += room_of(bundle->cell[i]);
    bundle->device = hr_array_1(NULL, HR_U8, bytes ? (int64_t)bytes : 1);
    HR_TRY(hr_array_take(&bundle->device, bundle->queue, what));
    bundle->host = hr_alloc(bytes ? bytes : 1);
    if (!bundle->host)
        return HIRL_E_NOMEM;
    for (int32_t i = 0; i < bundle->count; at += room_of(bundle->cell[i]), i++) {
        bundle->cell[i]->device.data = hr_slice(&bundle->device, (int64_t)at, 1).data;
        bundle->cell[i]->host = (char *)bundle->host + at;
    }
    return HIRL_OK;
}

void hr_bundle_upload(hr_bundle *bundle)
{
    bundle->queue->be->upload(bundle->queue, &bundle->device, bundle->host, HR_U8);
}

void hr_bundle_download(hr_bundle *bundle)
{
    bundle->queue->be->download(bundle->queue, bundle->host, HR_U8, &bundle->device);
}

void hr_bundle_done(hr_bundle *bundle)
{
    if (!bundle->queue)
        return;
    hr_array_give(&bundle->device, bundle->queue);
    hr_free(bundle->host);
    hr_free(bundle->cell);
    *bundle = (hr_bundle){ 0 };
}
