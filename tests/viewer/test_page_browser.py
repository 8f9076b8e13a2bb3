"""A page in a real browser draws the person as we do, moves with every slider, and asks nobody for anything."""

import base64
import json
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Error, Page, sync_playwright

from lca_core.data import Camera, read_people
from lca_core.making.photos import encode_person
from lca_core.making.release import load_release
from lca_core.model import Avatar, encoder_of
from lca_core.motion.motions import Motion
from lca_core.viewer.page.distil import random_signals
from lca_core.viewer.page.numbers import PageAvatar
from lca_core.viewer.page.write import page_text
from lca_core.viewer.signals import driving_of_signal, rest
from lca_core.viewer.stage import body_camera, head_camera, picture
from tests.model.stored.make import PEOPLE

CHROMIUM = shutil.which("chromium")
SOFTWARE = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PX = 160  # side of the pictures that are compared
PATIENCE = 240_000  # ms: software drawing on a busy core is slow
# What is on the canvas once it is drawn anew, red, green and blue a pixel, from the lower left.
DRAWN = """() => {
  window.drawn = (now) => {
    page.stale.picture = true; // what was shown is gone
    page.draw(now);
    const { gl, canvas } = page.splats;
    const pixels = new Uint8Array(4 * canvas.width * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    return pixels;
  };
  window.sum = (now) => drawn(now).reduce((sum, value, place) => (31 * sum + value) % 4294967291, 0);
}"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser: `apt-get install chromium` gets the one these tests drive"
)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    model, meta = load_release()
    person = next(iter(read_people(PEOPLE)))
    return encode_person(model, encoder_of(meta), person, person.frames)


@pytest.fixture(scope="module")
def numbers(avatar) -> PageAvatar:
    return PageAvatar.of(avatar)


@pytest.fixture(scope="module")
def address(avatar, numbers, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("page") / "viewer.html"
    path.write_text(page_text(avatar, numbers, "A test person", {"body": 60.0, "head": 60.0}), encoding="utf-8")
    assert path.stat().st_size < 10e6
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE)
        yield browser
        browser.close()


def opened(browser: Browser, address: str, **context) -> tuple[Page, list[str]]:
    """(the page, ready, and what went wrong in it or was asked for beside it)."""
    page, wrong = browser.new_context(**context).new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: request.url == address or wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
    page.goto(address)
    page.evaluate("ready.then(() => null)")
    page.evaluate(DRAWN)
    return page, wrong


@pytest.fixture(scope="module")
def window(browser, address) -> Iterator[tuple[Page, list[str]]]:
    """A small window, so that pictures are drawn quickly, in which all is at rest."""
    page, wrong = opened(browser, address, viewport={"width": 200, "height": 320})
    yield page, wrong
    page.context.close()


def told(signal: Motion) -> dict[str, list[float]]:
    return {name: part[0].tolist() for name, part in signal._asdict().items()}


def seen(page: Page, camera: Camera, signal: Motion) -> np.ndarray:
    """uint8 [H, W, 3]: what the page draws for a camera and a signal of one frame, over white."""
    viewmat, K = (np.asarray(x, float) for x in (camera.viewmat, camera.K))
    view = {
        "turn": viewmat[:3, :3].ravel().tolist(),
        "shift": viewmat[:3, 3].tolist(),
        "lens": [K[0, 0], K[1, 1], K[0, 2], K[1, 2]],
    }
    text = page.evaluate(
        """([view, signal, px]) => {
          const { splats, body, canvas } = page;
          const sizes = [canvas.width, canvas.height];
          canvas.width = canvas.height = px;
          body.drive(signal);
          splats.take(body.splats);
          splats.draw(view, [1, 1, 1]);
          const pixels = new Uint8Array(4 * px * px);
          splats.gl.readPixels(0, 0, px, px, splats.gl.RGBA, splats.gl.UNSIGNED_BYTE, pixels);
          [canvas.width, canvas.height] = sizes;
          page.refresh(true);
          return btoa(String.fromCharCode(...pixels.subarray(0, pixels.length / 2))) + "|" +
            btoa(String.fromCharCode(...pixels.subarray(pixels.length / 2)));
        }""",
        [view, told(signal), camera.width],
    )
    data = b"".join(base64.b64decode(half) for half in text.split("|"))
    return np.frombuffer(data, np.uint8).reshape(camera.height, camera.width, 4)[::-1, :, :3]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a / 255.0 - b / 255.0) ** 2)))


def test_at_rest_the_browser_draws_what_our_rasteriser_draws(window, avatar):
    page, wrong = window
    gaussians = avatar.drive(driving_of_signal(avatar, rest())).map(lambda t: t[0])
    for camera in (body_camera(avatar, 0.4, PX), head_camera(avatar, -0.3, PX)):
        ours, theirs = picture(gaussians, camera), seen(page, camera, rest())
        assert (ours < 200).any(-1).mean() > 0.05, "nobody is in the picture"
        assert psnr(ours, theirs) > 45
    assert wrong == []


def test_driven_the_browser_draws_the_full_avatar(window, avatar):
    page, _ = window
    signals = random_signals(3, seed=11)
    for i in range(3):
        signal = Motion(*(part[i : i + 1] for part in signals))
        gaussians = avatar.drive(driving_of_signal(avatar, signal)).map(lambda t: t[0])
        for camera in (body_camera(avatar, 0.4, PX, reach=0.25), head_camera(avatar, 0.0, PX)):
            assert psnr(picture(gaussians, camera), seen(page, camera, signal)) > 45


def test_the_browser_computes_the_numbers_that_python_computes(window, numbers):
    page, _ = window
    signals = random_signals(2, seed=5)
    signals.root[:] = [0.3, -1.0, 0.2, 0.1, 0.2, -0.3]
    for i in range(2):
        signal = Motion(*(part[i : i + 1] for part in signals))
        text = page.evaluate(
            """(signal) => {
              page.body.drive(signal);
              page.refresh(true);
              return JSON.stringify([...page.body.splats]);
            }""",
            told(signal),
        )
        found = torch.tensor(json.loads(text)).reshape(-1, 16)
        ours = numbers.drive(signal).map(lambda t: t[0])
        torch.testing.assert_close(found[:, :3], ours.means, rtol=0, atol=1e-4)
        torch.testing.assert_close(found[:, 3], ours.opacities, rtol=0, atol=1e-4)
        torch.testing.assert_close(found[:, 8:11].log(), ours.scales.log(), rtol=0, atol=1e-3)
        torch.testing.assert_close(found[:, 12:15], ours.colors, rtol=0, atol=1e-3)
        turn = torch.nn.functional.normalize(found[:, 4:8], dim=-1)
        assert (turn * torch.nn.functional.normalize(ours.quats, dim=-1)).sum(-1).abs().min() > 0.9999


def test_every_slider_changes_the_picture_and_reset_brings_it_back(window):
    page, wrong = window
    idle = page.evaluate(
        """() => {
          const views = { Body: "Body", Fingers: "Hand", Gaze: "Face", Face: "Face" };
          const idle = [];
          const tried = (sliders) => {
            const still = sum();
            for (const { name, high, value } of sliders) {
              const { input } = page.controls.inputs[name];
              input.value = high;
              input.dispatchEvent(new Event("input"));
              if (sum() === still) idle.push(name);
              page.controls.set(name, value);
              page.refresh(true);
            }
          };
          for (const { name, sliders } of page.body.header.groups) {
            page.look(views[name]);
            const right = sliders.filter((slider) => name === "Fingers" && slider.name.startsWith("right"));
            tried(sliders.filter((slider) => !right.includes(slider)));
            page.camera.target[0] *= -1; // where the other hand is
            tried(right);
          }
          return idle;
        }"""
    )
    assert idle == [] and wrong == []
    page.evaluate("page.look('Body')")
    still = page.evaluate("sum()")
    page.evaluate(
        """() => {
          for (const { input } of Object.values(page.controls.inputs)) {
            input.value = input.max;
            input.dispatchEvent(new Event("input"));
          }
        }"""
    )
    assert page.evaluate("sum()") != still
    page.evaluate("document.getElementById('reset').click()")
    assert page.evaluate("sum()") == still


def test_presets_motions_views_and_backgrounds_do_what_they_say(window):
    page, wrong = window
    page.evaluate("page.look('Face')")
    still = page.evaluate("sum()")
    page.evaluate("[...document.querySelectorAll('details button')].find((b) => b.textContent === 'Laugh').click()")
    assert page.evaluate("page.controls.values.jawOpen") == pytest.approx(0.45)
    assert page.evaluate("sum()") != still
    page.evaluate("document.getElementById('reset').click()")
    page.evaluate("[...document.querySelectorAll('#motions button')].find((b) => b.textContent === 'Walk').click()")
    moments = page.evaluate("[200, 500, 900].map((ms) => sum(page.controls.began + ms))")
    assert len(set(moments)) == 3
    page.evaluate("[...document.querySelectorAll('#motions button')].find((b) => b.textContent === 'Stand').click()")
    assert page.evaluate("sum()") == still
    page.evaluate("document.querySelector('[aria-label=\"Black background\"]').click()")
    corner = page.evaluate("Array.from(drawn().slice(-4))")
    assert corner[:3] == [0x10, 0x12, 0x14]
    page.evaluate("document.querySelector('[aria-label=\"White background\"]').click()")
    assert page.evaluate("sum()") == still and wrong == []


def test_on_a_phone_the_person_is_seen_and_fingers_turn_and_pinch(browser, address):
    page, wrong = opened(
        browser, address, viewport={"width": 390, "height": 844}, device_scale_factor=1, has_touch=True, is_mobile=True
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    top, bottom, left, right = page.evaluate(
        """() => {
          const pixels = drawn(), { width, height } = page.canvas;
          const rows = [], columns = [];
          for (let i = 0; i < width * height; i++) {
            if (Math.min(...pixels.subarray(4 * i, 4 * i + 3)) < 200) {
              rows.push(height - 1 - Math.floor(i / width));
              columns.push(i % width);
            }
          }
          const least = (values) => values.reduce((a, b) => Math.min(a, b));
          const most = (values) => values.reduce((a, b) => Math.max(a, b));
          return [least(rows) / height, most(rows) / height, least(columns) / width, most(columns) / width];
        }"""
    )
    assert bottom - top > 0.6 and top > 0.02 and bottom < 0.95 and 0.02 < left < right < 0.98, "too small, or cut off"
    azimuth, distance = page.evaluate("[page.camera.azimuth, page.camera.distance]")
    page.evaluate(
        """() => {
          const canvas = page.canvas;
          canvas.setPointerCapture = () => {};
          const finger = (type, pointerId, clientX, clientY) => canvas.dispatchEvent(
            new PointerEvent(type, { pointerId, clientX, clientY, bubbles: true }));
          finger("pointerdown", 1, 200, 200);
          finger("pointermove", 1, 240, 200);
          window.turned = page.camera.azimuth;
          finger("pointerdown", 2, 100, 200);
          finger("pointermove", 2, 60, 200);
          finger("pointerup", 1, 240, 200);
          finger("pointerup", 2, 60, 200);
        }"""
    )
    assert page.evaluate("turned") < azimuth - 0.1
    assert page.evaluate("page.camera.distance") < 0.95 * distance
    assert wrong == []
    page.context.close()


def test_a_page_may_ask_for_nothing(window):
    page, wrong = window
    with pytest.raises(Error, match="fetch"):
        page.evaluate("fetch('http://127.0.0.1:9/')")
    assert any("Content Security Policy" in text for text in wrong)
    wrong.clear()


def test_a_browser_without_webgl_is_told_so(browser, address):
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(address)
    assert "WebGL 2" in page.evaluate("ready.catch(() => document.getElementById('message').textContent)")
    page.context.close()
