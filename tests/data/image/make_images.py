#!/usr/bin/env python3
"""Makes the pictures in this folder and, with Pillow, OpenCV and torchvision, what tenon must make of them.

The photograph is chelsea.png (scikit-image, CC0). Needs Pillow 13, OpenCV, scikit-image, torch and torchvision.
"""

import struct
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps
from skimage import data

_torchvision_ops = torch.library.Library("torchvision", "DEF")
for _operator in ("nms", "qnms"):  # of the compiled extension, not needed here and not always loadable
    _torchvision_ops.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import transforms as T  # noqa: E402

HERE = Path(__file__).resolve().parent
ORIENTATION_TAG = 0x0112
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def bmp(width, height, bits, rows, *, palette=b"", compression=0, masks=b"", colours=0):
    """A BMP file around pixel rows that are in file order and padded."""
    offset = 54 + len(masks) + len(palette)
    pixels = b"".join(rows)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 2835, 2835, colours, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + masks + palette + pixels


def save_all(photo):
    small = photo.resize((30, 21))
    tiny = photo.resize((12, 7))
    small.save(HERE / "baseline.jpg", quality=80)
    small.save(HERE / "progressive.jpg", quality=80, progressive=True)
    small.save(HERE / "full_chroma.jpg", quality=95, subsampling=0)
    small.convert("L").save(HERE / "gray.jpg", quality=80)
    small.convert("CMYK").save(HERE / "cmyk.jpg", quality=80)
    small.save(HERE / "rgb.png")
    alpha = small.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(small.size))
    alpha.save(HERE / "alpha.png")
    alpha.save(HERE / "alpha.webp", lossless=True, exact=True)
    small.convert("LA").save(HERE / "gray_alpha.png")
    small.convert("1").save(HERE / "one_bit.png")
    small.quantize(13).save(HERE / "palette.png", bits=4)
    sixteen = np.asarray(small).astype(np.uint16) * 256 + 77
    cv2.imwrite(str(HERE / "sixteen.png"), sixteen[..., ::-1])
    small.save(HERE / "lossy.webp", quality=80)
    small.save(HERE / "lossless.webp", lossless=True)
    small.save(HERE / "animated.webp", save_all=True, append_images=[small.rotate(180)], duration=100)
    small.save(HERE / "gif.gif")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = orientation
        tiny.save(HERE / f"orientation_{orientation}.jpg", quality=60, exif=exif)
    exif[ORIENTATION_TAG] = 6
    tiny.save(HERE / "orientation_6.png", exif=exif)
    tiny.save(HERE / "orientation_6.webp", exif=exif, lossless=True)
    save_bmps(small, tiny)


def save_bmps(small, tiny):
    small.save(HERE / "rgb.bmp")
    small.quantize(200).save(HERE / "palette_8.bmp")
    small.convert("1").save(HERE / "palette_1.bmp")
    small.convert("RGBA").save(HERE / "alpha.bmp")
    pixels = np.asarray(tiny)
    height, width = pixels.shape[:2]
    four = np.asarray(tiny.quantize(16))
    palette = np.array(tiny.quantize(16).getpalette()[:48], np.uint8).reshape(16, 3)
    entries = b"".join(bytes([b, g, r, 0]) for r, g, b in palette)
    packed = [bytes(row[0::2] << 4 | row[1::2]) + b"\0\0" for row in four[::-1]]
    (HERE / "palette_4.bmp").write_bytes(bmp(width, height, 4, packed, palette=entries, colours=16))
    r, g, b = (pixels[..., c].astype(np.uint16) for c in range(3))
    rows565 = [((r >> 3 << 11) | (g >> 2 << 5) | b >> 3)[y].astype("<u2").tobytes() for y in range(height)]
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    (HERE / "masks_565.bmp").write_bytes(bmp(width, height, 16, rows565[::-1], compression=3, masks=masks))
    rows555 = [((r >> 3 << 10) | (g >> 3 << 5) | b >> 3)[y].astype("<u2").tobytes() for y in range(height)]
    (HERE / "top_down_555.bmp").write_bytes(bmp(width, -height, 16, rows555))
    (HERE / "rle.bmp").write_bytes(bmp(4, 1, 8, [b"\4\1\0\1"], palette=bytes(1024), compression=1))


def decoded():
    arrays = {}
    for path in sorted(HERE.iterdir()):
        if path.suffix not in (".jpg", ".png", ".webp", ".bmp") or path.stem in ("animated", "rle"):
            continue
        arrays[path.name] = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    np.savez_compressed(HERE / "decoded.npz", **arrays)


def resized(photo):
    arrays = {}
    for width, height in [(32, 32), (50, 17), (30, 55), (120, 40), (45, 64), (90, 20), (9, 2)]:
        size = f"{width}x{height}"
        arrays[f"bilinear/{size}"] = np.asarray(photo.resize((width, height), Image.BILINEAR))
        arrays[f"bicubic/{size}"] = np.asarray(photo.resize((width, height), Image.BICUBIC))
        arrays[f"opencv/{size}"] = cv2.resize(np.asarray(photo), (width, height), interpolation=cv2.INTER_LINEAR)
    np.savez_compressed(HERE / "resized.npz", **arrays)


def preprocessed(photo):
    def pipeline(image, *steps, mean_std=IMAGENET, order=slice(None)):
        for step in steps:
            image = step(image)
        return T.Normalize(*mean_std)(T.ToTensor()(image)[order])[None].numpy()

    bicubic = T.InterpolationMode.BICUBIC
    height, width = photo.height, photo.width
    side = int(32 / (32 + 32) * min(height, width))
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    square = photo.crop((left, top, left + side, top + side)).resize((32, 32), Image.BICUBIC)
    arrays = {
        "crop": pipeline(photo, T.Resize(37), T.CenterCrop(32)),
        "crop bgr": pipeline(photo, T.Resize(37), T.CenterCrop(32), order=[2, 1, 0]),
        "crop bicubic": pipeline(photo, T.Resize(37, interpolation=bicubic), T.CenterCrop(32)),
        "crop padded": pipeline(photo, T.Resize(24), T.CenterCrop((31, 32))),
        "stretch gray": pipeline(photo.resize((20, 30), Image.BILINEAR).convert("L"), mean_std=([0.485], [0.229])),
        "efficientnet-lite": ((np.asarray(square).astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None],
    }
    np.savez_compressed(HERE / "preprocessed.npz", **arrays)


def main():
    chelsea = Image.fromarray(data.chelsea())
    photo = chelsea.crop((70, 20, 340, 200)).resize((90, 60), Image.LANCZOS)
    photo.save(HERE / "photo.png")
    save_all(photo)
    decoded()
    resized(photo)
    preprocessed(photo)


if __name__ == "__main__":
    main()
