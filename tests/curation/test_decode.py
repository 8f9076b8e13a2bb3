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
