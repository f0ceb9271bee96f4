#!/usr/bin/env python3
"""make_images.py - writes the small JPEG and PNG files of this folder, and images.txt with Pillow's decoded pixels.

Needs Pillow (9.4 was used) and libturbojpeg; run it in this folder. Each line of images.txt has
file, width, height and the CRC-32 of the RGB bytes after convert("RGB"), or "file exif ..." after
ImageOps.exif_transpose. One kind differs from Pillow on purpose and is computed here: 16-bit grey keeps
its upper 8 bits (Pillow clips it at 255).
"""
import ctypes
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

W, H = 23, 17
lines = []


def picture(channels, seed=0):
    """A smooth picture with edges, u8 [H, W, channels]."""
    y, x = np.mgrid[0:H, 0:W]
    planes = []
    for c in range(channels):
        wave = 127 + 90 * np.sin(x / (2.5 + c) + seed) * np.cos(y / (3.5 - 0.5 * c))
        wave[5 + c:11, 4:12 + c] = 30 + 60 * c
        planes.append(wave)
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def expect(name, rgb):
    rgb = np.ascontiguousarray(rgb)
    lines.append(f"{name} {rgb.shape[1]} {rgb.shape[0]} {zlib.crc32(rgb.tobytes()):08x}")


def add(name, data, rgb=None):
    with open(name, "wb") as file:
        file.write(data)
    if rgb is None:
        rgb = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    expect(name, rgb)


# ---- JPEG ----

def jpeg(pixels, mode, **options):
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "JPEG", quality=80, **options)
    return out.getvalue()


def turbo(pixels, pixel_format, subsampling):
    """Compresses with TurboJPEG, which offers YCCK from CMYK and subsamplings that Pillow does not."""
    lib = ctypes.CDLL("libturbojpeg.so.0")
    lib.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(lib.tjInitCompress())
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    pixels = np.ascontiguousarray(pixels)
    failed = lib.tjCompress2(handle, pixels.ctypes.data_as(ctypes.c_void_p), W, 0, H, pixel_format,
                             ctypes.byref(out), ctypes.byref(size), subsampling, 80, 0)
    assert not failed
    return ctypes.string_at(out, size.value)


add("420.jpg", jpeg(picture(3), "RGB", subsampling=2))
add("422.jpg", jpeg(picture(3), "RGB", subsampling=1))
add("444.jpg", jpeg(picture(3), "RGB", subsampling=0))
add("440.jpg", turbo(picture(3), 0, 4))
add("411.jpg", turbo(picture(3), 0, 5))
add("progressive.jpg", jpeg(picture(3), "RGB", progressive=True))
add("grey.jpg", jpeg(picture(1)[..., 0], "L"))
add("cmyk.jpg", jpeg(picture(4), "CMYK"))
add("ycck.jpg", turbo(picture(4), 11, 0))
add("black.jpg", jpeg(np.zeros((1, 1, 3), np.uint8), "RGB"))


def exif(order, value):
    head = b"MM\0*\0\0\0\x08" if order == ">" else b"II*\0\x08\0\0\0"
    tiff = head + struct.pack(order + "HHHIHHI", 1, 0x0112, 3, 1, value, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


for value in range(1, 9):
    base = jpeg(picture(3), "RGB", subsampling=0)
    data = base[:2] + exif("<>"[value % 2], value) + base[2:]
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    add(f"turned{value}.jpg", data)
    expect(f"turned{value}.jpg exif", np.asarray(turned.convert("RGB")))


# ---- PNG ----

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(row, depth):
    """Packs a row of samples into bytes, most significant bit first."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def png(samples, depth, colour, extra=b"", interlaced=False):
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                  (0, 1, 1, 2)]
    raw = b""
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.shape[1]:
            for row in part:
                raw += b"\0" + pack(row, depth)
    head = struct.pack(">IIBBBBB", W, H, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw))
            + chunk(b"IEND", b""))


GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
wide = picture(4).astype(np.uint16) * 257 ^ 0x00f5
add("rgb.png", png(picture(3), 8, RGB))
add("rgb_interlaced.png", png(picture(3), 8, RGB, interlaced=True))
add("rgb_trns.png", png(picture(3), 8, RGB, chunk(b"tRNS", struct.pack(">HHH", *picture(3)[0, 0]))))
add("rgba.png", png(picture(4), 8, RGBA))
add("rgb16.png", png(wide[..., :3], 16, RGB))
add("rgba16.png", png(wide, 16, RGBA))
for depth in (1, 2, 4, 8):
    add(f"grey{depth}.png", png(picture(1)[..., 0] >> 8 - depth, depth, GREY))
add("grey_trns.png", png(picture(1)[..., 0], 8, GREY, chunk(b"tRNS", struct.pack(">H", 30))))
add("grey16.png", png(wide[..., 0], 16, GREY), np.repeat(wide[..., :1] >> 8, 3, -1).astype(np.uint8))
add("grey_alpha.png", png(picture(2), 8, GREY_ALPHA))
add("grey_alpha16.png", png(wide[..., :2], 16, GREY_ALPHA))
colours = np.random.RandomState(0).randint(0, 256, (256, 3)).astype(np.uint8)
for depth in (1, 4, 8):
    table = chunk(b"PLTE", colours[:1 << depth].tobytes())
    add(f"palette{depth}.png", png(picture(1)[..., 0] >> 8 - depth, depth, PALETTE, table))
table = chunk(b"PLTE", colours.tobytes()) + chunk(b"tRNS", bytes(range(200)))
add("palette_trns.png", png(picture(1)[..., 0], 8, PALETTE, table))

with open("images.txt", "w") as file:
    file.write("\n".join(lines) + "\n")
