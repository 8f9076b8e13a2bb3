"""Photographs and clips as nobody should send them, though somebody does: broken, odd, or meant to do harm."""

import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.stream import Disposition
from PIL import Image


class Hostile(NamedTuple):
    """A file to try: kind "photo" or "clip", wanted "accepted", "refused" or "either", what is the matter with it."""

    path: Path
    kind: str
    wanted: str
    what: str


def scene(height: int = 80, width: int = 120) -> np.ndarray:
    """uint8 RGB, its upper left quarter the brightest: what is upright can be seen."""
    image = np.full((height, width, 3), 60, np.uint8)
    image[: height // 2, : width // 2] = 230
    return image


def picture(format: str, mode: str = "RGB", image: np.ndarray | None = None, **options) -> bytes:
    """The scene as a file of Pillow's."""
    file = BytesIO()
    Image.fromarray(scene() if image is None else image).convert(mode).save(file, format, **options)
    return file.getvalue()


def changed(data: bytes, place: bytes, offset: int, new: bytes) -> bytes:
    """data with `new` written over it, `offset` bytes after the start of the first `place`."""
    at = data.index(place) + offset
    return data[:at] + new + data[at + len(new) :]


def damaged(data: bytes) -> bytes:
    """Forty bytes in the middle are others."""
    middle = len(data) // 2
    return data[:middle] + bytes(range(40)) + data[middle + 40 :]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, depth: int = 8, color: int = 2, extra: bytes = b"", rows: bytes | None = None
) -> bytes:
    """A PNG of these rows (each led by its filter 0), or of zeros, a thousandth of their size."""
    length = height * (1 + width * depth // 8 * {0: 1, 2: 3, 6: 4}[color])
    if rows is None:
        # deflate packs a megabyte; repeated, it is the same as packing all; the checksum of n zeros is (n, 1)
        parts = []
        for count, flush in ((2**20, zlib.Z_FULL_FLUSH), (length % 2**20, zlib.Z_FINISH)):
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            parts.append(packer.compress(bytes(count)) + packer.flush(flush))
        data = b"\x78\xda" + parts[0] * (length // 2**20) + parts[1] + struct.pack(">HH", length % 65521, 1)
    else:
        data = zlib.compress(rows)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def webp_bomb() -> bytes:
    """16,000 x 16,000 in some thirty bytes: one colour takes no bits a pixel, so that any size may be claimed."""
    small = picture("WEBP", image=np.zeros((80, 120, 3), np.uint8), lossless=True)
    return changed(small, b"VP8L", 9, struct.pack("<I", 15_999 | 15_999 << 14))


def many_scans() -> bytes:
    """A progressive JPEG, its last refinement repeated: each repetition goes over all pixels."""
    data = picture("JPEG", "L", scene(4000, 4000), progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 5000 + data[-2:]


class Program:
    """Makes a folder called "ran" beside the file where it is unpickled."""

    def __init__(self, path: Path):
        self.path = path.with_name("ran")

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def archive(form: str) -> bytes:
    """A zip or tar of 50 MB of zeros."""
    file = BytesIO()
    if form == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("../photo.jpg", bytes(50_000_000))
        return file.getvalue()
    with tarfile.open(fileobj=file, mode="w:gz") as packed:
        member = tarfile.TarInfo("../photo.jpg")
        member.size = 50_000_000
        packed.addfile(member, BytesIO(bytes(member.size)))
    return file.getvalue()


def clip(
    frames: int = 6, format: str = "mp4", codec: str = "mpeg4", image: np.ndarray | None = None, every: int = 1,
    aspect: int = 1, title: str = "",
) -> bytes:  # fmt: skip
    """The scene as a clip; frame n comes at n to the power of `every`, a tenth of a second being 1."""
    file, image = BytesIO(), scene() if image is None else image
    with av.open(file, "w", format) as container:
        container.metadata["title"] = title
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt, stream.sample_aspect_ratio = "yuvj420p" if codec == "mjpeg" else "yuv420p", aspect
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = number**every
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def sound(cover: bytes = b"") -> bytes:
    """Silence in an mp4, with a JPEG as the cover of its album or without."""
    file = BytesIO()
    with av.open(file, "w", "mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        if cover:
            art = container.add_stream("mjpeg")
            art.width, art.height, art.pix_fmt, art.disposition = 120, 80, "yuvj420p", Disposition.attached_pic
            packet = av.Packet(cover)
            packet.stream = art
            container.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def counting(frames: int) -> bytes:
    """An mp4 of six frames whose index claims `frames` of one byte each, for which a reader may make room."""
    data = changed(clip(), b"stsz", 8, struct.pack(">II", 1, frames))
    return changed(changed(data, b"stsc", 16, struct.pack(">I", frames)), b"stts", 12, struct.pack(">I", frames))


def playlist(*targets: str) -> bytes:
    """An HLS playlist: a few lines of text that ask for other files."""
    return "\n".join(["#EXTM3U", *(f"#EXTINF:1,\n{target}" for target in targets), "#EXT-X-ENDLIST", ""]).encode()


def beside(path: Path) -> str:
    """The path of a clip that a playlist must not open, written now."""
    target = path.with_name("other.ts")
    target.write_bytes(clip(format="mpegts", codec="mpeg2video"))
    return str(target)


def hole(path: Path) -> None:
    """A good clip, then 30 GB of nothing, which take no room on the disk."""
    path.write_bytes(clip(format="avi"))
    os.truncate(path, 30 * 10**9)


NOTE = zlib.compress(bytes(100_000_000))
SOF, SIZE, HUGE = b"\xff\xc0\x00\x11\x08", struct.pack(">HH", 80, 120), struct.pack(">HH", 16_000, 16_000)
SVG = b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg width="99" height="99"><text>&x;</text></svg>'
UPRIGHT, TURNED = (struct.pack(">9i", *(n << 16 for n in row), 1 << 30) for row in (
    (1, 0, 0, 0, 1, 0, 0, 0), (0, 1, 0, -1, 0, 0, 0, 0)))  # fmt: skip
ON_SIDE = np.ascontiguousarray(np.rot90(scene()))
EXIF = Image.Exif()
EXIF[0x0112] = 6  # "turn by 90 degrees clockwise to show"
DEEP = scene().astype(">u2") << 8
CLEAR = np.dstack([scene(), np.where(scene()[..., 0] > 99, 0, 255).astype(np.uint8)])
ANIMATION = {"save_all": True, "append_images": [Image.new("RGB", (120, 80), "black")], "duration": 100}

# name -> kind, wanted, what, make: of the path, the file's content, or None where make wrote it
FILES: dict[str, tuple[str, str, str, Callable[[Path], bytes | None]]] = {
    "empty.jpg": ("photo", "refused", "0 bytes", lambda _: b""),
    "letter.jpg": ("photo", "refused", "text", lambda _: b"Dear reader, this is no picture. " * 50),
    "page.png": ("photo", "refused", "HTML", lambda _: b"<!DOCTYPE html><html><body>404 Not Found</body></html>"),
    "drawing.png": ("photo", "refused", "SVG that quotes /etc/passwd", lambda _: SVG),
    "script.png": ("photo", "refused", "PostScript, a program",
                   lambda _: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n{ } loop\n"),
    "noise.jpg": ("photo", "refused", "random bytes", lambda _: np.random.default_rng(1).bytes(50_000)),
    "half.jpg": ("photo", "refused", "cut off", lambda _: (data := picture("JPEG"))[: len(data) * 2 // 3]),
    "half.png": ("photo", "refused", "cut off", lambda _: (data := picture("PNG"))[: len(data) * 2 // 3]),
    "damaged.png": ("photo", "either", "40 bytes changed", lambda _: damaged(picture("PNG"))),
    "dot.png": ("photo", "refused", "1 x 1", lambda _: picture("PNG", image=np.zeros((1, 1, 3), np.uint8))),
    "claims.png": ("photo", "refused", "says 60,000 x 60,000",
                   lambda _: png(60_000, 60_000, rows=bytes(99))),
    "bomb.png": ("photo", "refused", "16,000 x 16,000 zeros in 0.8 MB", lambda _: png(16_000, 16_000)),
    "bomb.webp": ("photo", "refused", "16,000 x 16,000 in 42 bytes", lambda _: webp_bomb()),
    "scans.jpg": ("photo", "refused", "4,000 x 4,000, refined 5,000 times", lambda _: many_scans()),
    "note.png": ("photo", "refused", "100 MB of text in 0.1 MB",
                 lambda _: png(120, 80, extra=chunk(b"zTXt", b"note\0\0" + NOTE))),
    "profile.png": ("photo", "refused", "100 MB colour profile in 0.1 MB",
                    lambda _: png(120, 80, extra=chunk(b"iCCP", b"RGB\0\0" + NOTE))),
    "zip.jpg": ("photo", "refused", "zip of 50 MB of zeros", lambda _: archive("zip")),
    "tar.jpg": ("photo", "refused", "tar of 50 MB of zeros", lambda _: archive("tar")),
    "program.png": ("photo", "refused", "pickle that runs a command", lambda path: pickle.dumps(Program(path))),
    "movie.jpg": ("photo", "refused", "an mp4", lambda _: clip()),
    "endless.jpg": ("photo", "refused", "link to /dev/zero", lambda path: path.symlink_to("/dev/zero")),
    "folder.jpg": ("photo", "refused", "link to its folder", lambda path: path.symlink_to(path.parent)),
    "gone.jpg": ("photo", "refused", "link to nothing", lambda path: path.symlink_to("nowhere.jpg")),
    "pipe.jpg": ("photo", "refused", "pipe nobody writes to", lambda path: os.mkfifo(path)),
    "nul\0.jpg": ("photo", "refused", "NUL in the name", lambda path: None),
    "line\nbreak\x1b[2J.jpg": ("photo", "refused", "line break and terminal code in the name", lambda _: b"text"),
    "../" * 40 + "etc/passwd": ("photo", "refused", "path out of the folder", lambda path: None),
    "inside/../dots.png": ("photo", "accepted", "path with ..", lambda _: picture("PNG")),
    "-rf *.png": ("photo", "accepted", "dash and star in the name", lambda _: picture("PNG")),
    "\u00fc\u7167\u7247" + "x" * 237 + ".png": ("photo", "accepted", "240 letters", lambda _: picture("PNG")),
    "print.jpg": ("photo", "accepted", "CMYK", lambda _: picture("JPEG", "CMYK")),
    "deep.png": ("photo", "accepted", "16 bits a colour",
                 lambda _: png(120, 80, 16, rows=b"".join(b"\0" + row.tobytes() for row in DEEP))),
    "float.tif": ("photo", "accepted", "grey, 32 bits", lambda _: picture("TIFF", "F")),
    "clear.png": ("photo", "accepted", "transparency", lambda _: picture("PNG", "RGBA", CLEAR)),
    "few.png": ("photo", "accepted", "palette", lambda _: picture("PNG", "P")),
    "bits.tif": ("photo", "accepted", "1 bit", lambda _: picture("TIFF", "1")),
    "turned.jpg": ("photo", "accepted", "rotated by EXIF", lambda _: picture("JPEG", image=ON_SIDE, exif=EXIF)),
    "moving.gif": ("photo", "accepted", "animation", lambda _: picture("GIF", **ANIMATION)),
    "moving.webp": ("photo", "accepted", "animation", lambda _: picture("WEBP", **ANIMATION)),
    "wide.png": ("photo", "accepted", "20,000 x 100", lambda _: picture("PNG", image=scene(100, 20_000))),
    "most.png": ("photo", "accepted", "110 megapixels with transparency", lambda _: png(10_480, 10_480, color=6)),
    "empty.mp4": ("clip", "refused", "0 bytes", lambda _: b""),
    "letter.mp4": ("clip", "refused", "text", lambda _: b"Dear reader, this is no video. " * 50),
    "letter.ans": ("clip", "refused", "text that ffmpeg would show", lambda _: b"Dear reader, no video. \n" * 50),
    "noise.mp4": ("clip", "refused", "random bytes", lambda _: np.random.default_rng(2).bytes(50_000)),
    "index.mp4": ("clip", "refused", "cut off inside its index", lambda _: clip()[:-300]),
    "half.mp4": ("clip", "refused", "cut off before its index", lambda _: clip()[:300]),
    "other.mp4": ("clip", "refused", "playlist of a clip and /etc/passwd",
                  lambda path: playlist(beside(path), "/etc/passwd")),
    "join.mp4": ("clip", "refused", "ffconcat of a clip",
                 lambda path: f"ffconcat version 1.0\nfile '{beside(path)}'\n".encode()),
    "web.mp4": ("clip", "refused", "playlist of a web address", lambda _: playlist("http://127.0.0.1:9/a.ts")),
    "folder.mp4": ("clip", "refused", "a folder", lambda path: path.mkdir()),
    "pipe.mp4": ("clip", "refused", "pipe nobody writes to", lambda path: os.mkfifo(path)),
    "sound.mp4": ("clip", "refused", "sound only", lambda _: sound()),
    "album.mp4": ("clip", "refused", "sound with a cover picture", lambda _: sound(picture("JPEG"))),
    "code.mp4": ("clip", "refused", "unknown coding",
                 lambda _: changed(changed(clip(), b"mp4v", 0, b"zzzz"), b"esds", 0, b"zzzz")),
    "changes.ts": ("clip", "refused", "size changes", lambda _: clip(format="mpegts", codec="mpeg2video")
                   + clip(format="mpegts", codec="mpeg2video", image=scene(96, 160))),
    "claims.mp4": ("clip", "refused", "says 60,000 x 60,000",
                   lambda _: changed(picture("GIF", **ANIMATION), b"GIF", 6, struct.pack("<HH", 60_000, 60_000))),
    "huge.avi": ("clip", "refused", "frames of 16,000 x 16,000, said to be 120 x 80",
                 lambda _: clip(format="avi", codec="mjpeg").replace(SOF + SIZE, SOF + HUGE)),
    "count.mp4": ("clip", "refused", "says 80 million frames", lambda _: counting(80_000_000)),
    "grows.avi": ("clip", "either", "one frame of 16,000 x 16,000",
                  lambda _: HUGE.join(clip(format="avi", codec="mjpeg").rsplit(SIZE, 1))),
    "damaged.avi": ("clip", "either", "40 bytes changed", lambda _: damaged(clip(format="avi", codec="mjpeg"))),
    "hole.avi": ("clip", "accepted", "a clip, then 30 GB of nothing", hole),
    "long.mp4": ("clip", "accepted", "says it lasts ten years",
                 lambda _: changed(clip(), b"stts", 12, struct.pack(">II", 6, 2**31 - 1))),
    "cut.mkv": ("clip", "accepted", "cut off", lambda _: (data := clip(20, "matroska"))[: len(data) * 2 // 3]),
    "one.mp4": ("clip", "accepted", "one frame", lambda _: clip(1)),
    "picture.mp4": ("clip", "accepted", "a GIF", lambda _: picture("GIF")),
    "turned.mp4": ("clip", "accepted", "rotated by its header",
                   lambda _: changed(clip(image=ON_SIDE), UPRIGHT, 0, TURNED)),
    "wide.mp4": ("clip", "accepted", "pixels twice as wide", lambda _: clip(aspect=2)),
    "uneven.mp4": ("clip", "accepted", "frames ever later", lambda _: clip(every=2)),
    "title.mp4": ("clip", "accepted", "title in broken text",
                  lambda _: changed(clip(title="cafe"), b"cafe", 3, b"\xe9")),
}  # fmt: skip


def hostile_file(folder: Path, name: str) -> Hostile:
    """One of FILES, written into the folder."""
    kind, wanted, what, make = FILES[name]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = make(path)
    if content is not None:
        path.write_bytes(content)
    return Hostile(path, kind, wanted, what)


def hostile_files(folder: Path) -> list[Hostile]:
    """All of FILES, written into an empty folder; links, pipes and a sparse file are among them."""
    return [hostile_file(folder, name) for name in FILES]
