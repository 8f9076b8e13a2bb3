"""Reading files: what is right comes out upright RGB, what is wrong is named."""

import struct
import zlib

import av
import numpy as np
import pytest
from PIL import Image

from lca_core.curation.decode import read_clip, read_photo, shrink
from lca_core.errors import InputError


@pytest.fixture
def scene(rng) -> np.ndarray:
    """80 x 120, smooth, its four quarters unlike each other."""
    image = np.zeros((80, 120, 3), np.uint8)
    image[:40, :60], image[:40, 60:], image[40:, :60], image[40:, 60:] = (
        (200, 30, 30),
        (30, 90, 30),
        (30, 30, 200),
        240,
    )
    return image


def write_clip(path, images, rate=10, size=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for image in images:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_a_plain_picture_comes_back_as_it_was(save, scene):
    assert np.array_equal(read_photo(save(scene, "plain.png")), scene)


def test_exif_rotation_is_applied(save, scene):
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to show"
    path = save(np.ascontiguousarray(np.rot90(scene)), "turned.png", exif=exif)
    assert np.array_equal(read_photo(path), scene)


def test_sixteen_bit_grey_keeps_its_brightness(save):
    grey = np.linspace(0, 65535, 80 * 120).reshape(80, 120).astype(np.uint16)
    read = read_photo(save(grey, "deep.png"))
    assert read.dtype == np.uint8 and read.shape == (80, 120, 3)
    assert np.abs(read[..., 0] - grey / 257.0).max() <= 1


def test_transparency_is_laid_on_white(save, scene):
    clear = np.dstack([scene, np.zeros((80, 120), np.uint8)])
    assert (read_photo(save(clear, "clear.png")) == 255).all()


@pytest.mark.parametrize(
    "mode, name", [("CMYK", "print.jpg"), ("P", "palette.png"), ("L", "grey.jpg"), ("1", "bits.png")]
)
def test_other_colour_modes_become_rgb(save, scene, mode, name):
    read = read_photo(save(Image.fromarray(scene).convert(mode), name))
    assert read.shape == scene.shape and read.dtype == np.uint8
    assert read[:40].mean() < read[40:].mean()


def profile_of(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC display profile of a kind of colour, written from its definition."""
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table, body = table + name + struct.pack(">II", at + len(body), len(data)), body + data
    head = struct.pack(
        ">I4sI4s4s4s12s4s4sIIIQI3i", at + len(body), b"none", 0x02400000, b"mntr", kind, b"XYZ ", bytes(12), b"acsp",
        b"APPL", 0, 0, 0, 0, 0, 63190, 65536, 54061,
    )  # fmt: skip
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(x * 65536) for x in values))


def _gamma(power: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(power * 256)) + b"\0\0"


_NAMED = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 8) + b"profile\0" + bytes(78),
          b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": _xyz(0.9642, 1, 0.8249)}  # fmt: skip
DISPLAY_P3 = profile_of(
    b"RGB ",
    {
        **_NAMED,
        b"rXYZ": _xyz(0.51512, 0.2412, -0.00105),
        b"gXYZ": _xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": _xyz(0.1571, 0.06657, 0.78407),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(2.2)),
    },
)
LINEAR_GREY = profile_of(b"GRAY", _NAMED | {b"kTRC": _gamma(1.0)})


@pytest.mark.parametrize("mode, name", [("RGB", "a.png"), ("RGBA", "a.png"), ("P", "a.png"), ("RGBA", "a.tif"),
                                        ("RGB", "a.jpg"), ("RGBA", "a.webp"), ("PA", "a.png")])  # fmt: skip
def test_a_wide_gamut_profile_is_heeded_in_every_mode(save, mode, name):
    rgb = Image.new("RGB", (80, 80), (90, 160, 220))
    image = rgb.quantize(4) if mode == "P" else rgb.convert(mode.replace("PA", "RGBA"))
    if mode == "PA":  # a palette with one colour that is clear
        image = rgb.quantize(4)
        image.info["transparency"] = 3
    read = read_photo(save(image, name, icc_profile=DISPLAY_P3))
    assert np.abs(read[40, 40].astype(int) - [59, 164, 226]).max() <= 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_profile_is_heeded_and_one_of_other_colours_is_not(save, scene, dtype):
    grey = Image.fromarray(np.full((80, 80), np.iinfo(dtype).max // 255 * 55, dtype))
    top = Image.fromarray(np.vstack([np.full((2, 80), np.iinfo(dtype).max, dtype), np.asarray(grey)]))
    assert np.abs(read_photo(save(top, "linear.png", icc_profile=LINEAR_GREY))[40, 40].astype(int) - 128).max() <= 2
    assert (read_photo(save(scene, "wrong.png", icc_profile=LINEAR_GREY)) == scene).all()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is width x height and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("empty.png", b"", "empty"),
        ("letter.png", b"Dear reader, this is no picture. " * 20, "not a picture"),
        ("bomb.png", bomb(60_000, 60_000), "too? large|larger than"),
        ("wide.png", bomb(40_000, 100), "too large"),
        ("tiny.png", bomb(63, 500), "too small"),
        ("hollow.png", bomb(300, 300), "broken"),
    ],
)
def test_a_bad_picture_is_refused_by_name(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_photo(path)
    assert name in str(caught.value)


def test_a_truncated_jpeg_is_refused(save, tmp_path, rng):
    whole = save(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8), "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="half.jpg.*broken"):
        read_photo(tmp_path / "half.jpg")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(200, 150), (203, 149)])
def test_a_jpeg_that_lacks_only_its_end_marker_is_read(save, tmp_path, rng, progressive, size):
    noise = Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    whole = save(noise, "whole.jpg", progressive=progressive)
    data, path = whole.read_bytes(), tmp_path / "cut.jpg"
    for missing in (1, 2):
        path.write_bytes(data[:-missing])
        assert np.array_equal(read_photo(path), read_photo(whole))
    for missing in (30, 500, len(data) // 2):
        path.write_bytes(data[:-missing])
        with pytest.raises(InputError, match="cut.jpg.*broken"):
            read_photo(path)


@pytest.mark.parametrize("read", [read_photo, read_clip])
def test_missing_files_and_folders_are_refused(tmp_path, read):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nowhere.png")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)


def test_a_clip_is_read_at_a_rate(tmp_path, scene):
    images = [np.roll(scene, 8 * i, axis=1) for i in range(12)]
    clip = read_clip(write_clip(tmp_path / "clip.mp4", images), max_frames=4, rate=10 / 3)
    assert clip.images.shape == (4, 80, 120, 3) and clip.complete
    np.testing.assert_allclose(clip.times, [0, 0.3, 0.6, 0.9], atol=1e-3)
    assert np.abs(clip.images[2].astype(int) - images[6]).mean() < 12
    assert np.abs(clip.images[2].astype(int) - images[3]).mean() > 20


def test_a_clip_with_a_rotation_comes_out_upright(tmp_path, scene):
    path = write_clip(tmp_path / "phone.mp4", [np.ascontiguousarray(np.rot90(scene))] * 3)
    data = path.read_bytes()
    straight = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    # the track header's display matrix of a phone held upright: show it turned by 90 degrees clockwise
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    track = data.index(b"tkhd")
    place = data.index(straight, track)
    path.write_bytes(data[:place] + turned + data[place + 36 :])
    image = read_clip(path).images[0]
    assert image.shape == scene.shape
    assert np.abs(image.astype(int) - scene).mean() < 12


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("empty.mp4", b"", "empty"),
        ("letter.mp4", b"Dear reader, this is no video. " * 99, "not a video"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n", "list.mp4"),
    ],
)
def test_a_bad_clip_is_refused_by_name(tmp_path, name, content, reason, scene):
    write_clip(tmp_path / "clip.mp4", [scene] * 3)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_clip(tmp_path / name)


def test_a_clip_that_breaks_off_is_read_as_far_as_it_goes(tmp_path, rng):
    noise = [rng.integers(0, 255, (96, 96, 3), dtype=np.uint8) for _ in range(20)]
    path = write_clip(tmp_path / "whole.avi", noise)
    data = path.read_bytes()
    (tmp_path / "half.avi").write_bytes(data[: len(data) // 2])
    assert 1 <= len(read_clip(tmp_path / "half.avi").images) < 20


def test_shrink_keeps_the_proportions_and_never_enlarges(scene):
    assert shrink(scene, 60).shape == (40, 60, 3)
    assert shrink(scene, 500) is scene


def with_display_matrix(path, matrix: tuple[int, int, int, int]):
    """A clip whose track is shown by this matrix (a, b, c, d), written over the one it has."""
    data = path.read_bytes()
    plain = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    at, (a, b, c, d) = data.rindex(plain), (65536 * x for x in matrix)
    path.write_bytes(data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + len(plain) :])


SHOWN = {  # (a, b, c, d): a pixel at (x, y) is shown at (a x + c y, b x + d y)
    (1, 0, 0, 1): lambda image: image,
    (0, 1, -1, 0): lambda image: np.rot90(image, -1),
    (-1, 0, 0, -1): lambda image: np.rot90(image, 2),
    (0, -1, 1, 0): lambda image: np.rot90(image),
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (0, 1, 1, 0): lambda image: image.swapaxes(0, 1),
    (0, -1, -1, 0): lambda image: np.rot90(image, 2).swapaxes(0, 1),
}


@pytest.mark.parametrize("matrix", SHOWN)
def test_a_clip_is_turned_and_mirrored_as_its_display_matrix_says(tmp_path, scene, matrix):
    path = write_clip(tmp_path / "a.mp4", [scene] * 3)
    with_display_matrix(path, matrix)
    read, wanted = read_clip(path).images[0], SHOWN[matrix](scene)
    assert read.shape == wanted.shape and np.abs(read.astype(int) - wanted).mean() < 6
