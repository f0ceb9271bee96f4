#!/usr/bin/env python3
"""ffi.py - a binder without a C compiler: cffi reads bindings/hirl.ffi.h, opens the library, and trains.

usage: ffi.py libhirl.so hirl.ffi.h     exit status 77 without cffi
"""
import sys

try:
    import cffi
except ImportError:
    print('cffi is not installed')
    sys.exit(77)

SETTINGS = {'preset': None, 'epochs': '1', 'batch_size': '8', 'threads': '1', 'image_size': '16', 'hirl': '0'}
IMAGES, SIDE = 16, 16


def main():
    ffi = cffi.FFI()
    ffi.cdef(open(sys.argv[2], encoding='utf-8').read())
    hirl = ffi.dlopen(sys.argv[1])
    freed, steps = [], []

    def check(status):
        assert status >= 0, ffi.string(hirl.hirl_error_message()).decode()

    def made(kind, call, *arguments):
        out = ffi.new(f'{kind} **')
        check(call(out, *arguments))
        return out[0]

    @ffi.callback('hirl_release_fn')
    def release(user):
        freed.append(ffi.from_handle(user))

    @ffi.callback('hirl_report_fn')
    def report(step, user):
        assert step.struct_size == ffi.sizeof('hirl_step_report')
        steps.append(step.loss)
        return 0

    pixels = [ffi.new('float[]', [(i * 7 + k * 3) % 101 / 100 for k in range(SIDE * SIDE * 3)]) for i in range(IMAGES)]
    image = ffi.new('hirl_image[]', IMAGES)
    for i, one in enumerate(image):
        one.struct_size, one.type, one.pixels = ffi.sizeof('hirl_image'), hirl.HIRL_PIXELS_F32, pixels[i]
        one.height, one.width, one.channels = SIDE, SIDE, 3

    options = made('hirl_options', hirl.hirl_options_create)
    check(hirl.hirl_options_preset(options, b'hirl-mocov2-small'))
    for key, value in SETTINGS.items():
        if value:
            check(hirl.hirl_options_set(options, key.encode(), value.encode()))
    context = made('hirl_context', hirl.hirl_context_create, options)
    data = made('hirl_dataset', hirl.hirl_dataset_from_images, context, image, IMAGES, ffi.NULL, options)
    trainer = made('hirl_trainer', hirl.hirl_trainer_create, context, ffi.NULL, data, options)
    words = ffi.new_handle('words of the host')
    hirl.hirl_trainer_set_report(trainer, report, words, release)
    check(hirl.hirl_train_run(ffi.NULL, trainer))
    info = ffi.new('hirl_trainer_info *')
    info.struct_size = ffi.sizeof('hirl_trainer_info')
    check(hirl.hirl_trainer_describe(info, trainer))
    assert (info.finished, info.step) == (1, IMAGES // 8) and len(steps) == IMAGES // 8, (info.step, steps)
    bad = ffi.new('hirl_trainer_info *')
    assert hirl.hirl_trainer_describe(bad, trainer) == hirl.HIRL_E_INVALID
    hirl.hirl_trainer_destroy(trainer)
    assert freed == ['words of the host'], freed
    hirl.hirl_dataset_destroy(data)
    hirl.hirl_context_destroy(context)
    hirl.hirl_options_destroy(options)
    print(f'libhirl {ffi.string(hirl.hirl_version()).decode()}: {len(steps)} steps')


main()
