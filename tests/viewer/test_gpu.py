"""The viewer for graphics cards: small Gaussians survive, nobody else is served, a browser draws what we draw."""

import io
import shutil
import socket
import urllib.request
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from lca_core.data import read_people
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import Avatar, encoder_of
from lca_core.splats.reference import quats_to_rotations
from lca_core.viewer.gpu import GpuViewer, numbers_of
from lca_core.viewer.performance import Performance
from lca_core.viewer.signals import driving_of_signal
from lca_core.viewer.stage import picture
from lca_core.viewer.views import views
from tests.model.models import random_inputs, tiny_model
from tests.model.stored.make import PEOPLE

PORT = 18_600  # away from what else may be served
PX, WIDTH = 480, 900  # height and width of the window; beside the middle are viser's own words
MIDDLE = slice(130, 350)  # columns of a square picture
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE = 600_000  # ms: software drawing on a busy core is slow


@pytest.fixture(scope="module")
def tiny() -> Avatar:
    return Avatar.encode(tiny_model(), random_inputs(people=1))


def driven(avatar: Avatar, asked: Performance):
    return avatar.drive(driving_of_signal(avatar, asked.signal())).map(lambda t: t[0])


def test_what_is_handed_over_is_the_gaussians_even_half_a_millimetre_small(tiny):
    gaussians = driven(tiny, Performance())
    gaussians = replace(gaussians, scales=gaussians.scales.clamp(max=5e-4))
    with GpuViewer(tiny, PORT) as viewer:
        viewer._splats.set_gaussians(**numbers_of(gaussians))
        kept = viewer._splats.covariances.astype(np.float64) * viewer._splats.scale**2
        centers = viewer._splats.centers * viewer._splats.scale
    axes = (quats_to_rotations(gaussians.quats) * gaussians.scales[:, None]).double()
    truth = (axes @ axes.mT).numpy()
    size = np.abs(truth).max((1, 2), keepdims=True)
    assert (np.abs(kept - truth) / size).max() < 2e-3, "lost to half precision"
    np.testing.assert_allclose(centers, gaussians.means.numpy(), atol=1e-6)


def test_what_is_asked_for_is_shown_and_a_motion_goes_on_by_itself_only_where_somebody_looks(tiny):
    with GpuViewer(tiny, PORT) as viewer:
        still = viewer._splats.centers.copy()
        asked = Performance({"left_arm": 0.9})
        viewer.show(asked)
        expected = numbers_of(driven(tiny, asked))["centers"]
        np.testing.assert_allclose(viewer._splats.centers, expected, atol=1e-4)
        assert np.abs(expected - still).max() > 1
        viewer.play(Performance(motion="dance"))
        assert not viewer._closed.wait(0.2)
        np.testing.assert_allclose(viewer._splats.centers, expected, atol=1e-4)  # no browser is there


def test_this_machine_alone_is_served_until_it_is_closed_and_a_taken_port_is_left_alone(tiny, capsys):
    with GpuViewer(tiny, PORT) as first, GpuViewer(tiny, PORT) as second:
        assert first.address != second.address
        assert first.address in first._repr_html_()
        with urllib.request.urlopen(first.address, timeout=60) as answer:
            assert b"<html" in answer.read()
        port = int(first.address.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), timeout=10)  # where 0.0.0.0 would answer
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    assert capsys.readouterr().out == ""


def middle(page: Page) -> np.ndarray:
    """Of what the window shows, the columns where the person stands."""
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    left = (WIDTH - PX) // 2
    return shot[10:-10, left + MIDDLE.start : left + MIDDLE.stop].astype(float)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser: `apt-get install chromium`")
def test_a_browser_draws_what_our_rasteriser_draws_and_asks_nobody_else():
    model, meta = load_release()
    person = next(iter(read_people(PEOPLE)))
    avatar = encode_person(model, encoder_of(meta), person, person.frames)
    elsewhere: list[str] = []
    with GpuViewer(avatar, PORT) as viewer, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SOFTWARE)
        page = browser.new_page(viewport={"width": WIDTH, "height": PX})
        page.set_default_timeout(PATIENCE)
        own = (viewer.address, "data:", f"blob:{viewer.address}")
        page.on("request", lambda request: request.url.startswith(own) or elsewhere.append(request.url))
        page.goto(viewer.address)
        page.wait_for_selector("canvas")
        for asked in (Performance(), Performance({"left_arm": -0.4, "left_knee": 1.2, "jawOpen": 0.8})):
            viewer.show(asked)
            truth = ours(avatar, asked)
            best = 0.0
            for _ in range(PATIENCE // 1000):
                best = psnr(middle(page), truth)
                if best > 35:
                    break
                page.wait_for_timeout(1000)
            assert best > 35
        browser.close()
    assert elsewhere == []


def ours(avatar: Avatar, asked: Performance) -> np.ndarray:
    """The same columns by our rasteriser, seen from where the page begins."""
    transforms = avatar.transforms(driving_of_signal(avatar, asked.signal()))[0]
    camera = views(avatar)["Body"].camera(transforms, asked.azimuth, asked.elevation, 1.0, PX)
    return picture(driven(avatar, asked), camera)[10:-10, MIDDLE].astype(float)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a / 255 - b / 255) ** 2)))
