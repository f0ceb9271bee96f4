#!/bin/sh
# pillow-16-bit-gray.sh - Pillow turns a 16-bit gray PNG white, and the same picture with an alpha channel correctly gray
#
# Seen with Pillow 13.0.0. convert("RGB"), which image loaders call on every file, cuts the samples of a 16-bit gray PNG at 255
# instead of dividing them by 256. With an alpha channel or as 16-bit RGB the same samples are divided. A folder of 16-bit
# X-ray or depth images becomes white, without a warning. Remedy: divide the array of mode I;16 by 256 oneself.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" pillow==13.0.0 numpy==2.4.6
PYTHONPATH=$work python3 - <<'PROGRAM'
import io
import struct
import zlib

import numpy
import PIL
from PIL import Image

COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}  # channels: gray, gray and alpha, RGB, RGB and alpha


def png(samples):
    """a 16-bit PNG of [height, width, channels]"""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    height, width, channels = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPE[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


gray = numpy.array([[0, 100, 1000, 8000, 30000, 65000]], "uint16")
read = {}
for channels in COLOUR_TYPE:
    image = Image.open(io.BytesIO(png(numpy.repeat(gray[:, :, None], channels, 2))))
    read[channels] = numpy.asarray(image.convert("RGB"))[0, :, 0].tolist()
    print("Pillow %s, %d channels of 16 bits, mode %-5s %s" % (PIL.__version__, channels, image.mode + ":", read[channels]))
print("samples %s, divided by 256: %s" % (gray[0].tolist(), (gray[0] // 256).tolist()))
assert read[1] == [0, 100, 255, 255, 255, 255]
assert all(read[channels] == (gray[0] // 256).tolist() for channels in (2, 3, 4))
PROGRAM
