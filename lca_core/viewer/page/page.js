"use strict";
/* The page: reads the avatar, and draws it anew whenever something has changed. */

const BACKGROUNDS = { White: "#ffffff", Grey: "#9aa0a4", Black: "#101214", Green: "#2f9e55" };
const SHARPEST = 2; // canvas pixels to one of the page's: more costs time and shows nothing

class Page {
  constructor(avatar) {
    this.canvas = document.getElementById("picture");
    this.stale = { body: true, picture: true };
    this.background = [1, 1, 1];
    this.body = new Body(avatar);
    this.splats = new Splats(this.canvas, this.body.count);
    this.motions = unpacked(avatar);
    this.camera = new Camera(this.canvas, () => this.refresh());
    this.controls = new Controls({ ...avatar.header, motions: this.motions }, () => this.refresh(true));
    this.views = choices(document.getElementById("views"), Object.keys(avatar.header.views), (name) => this.look(name));
    this.paint();
    new ResizeObserver(() => this.fit()).observe(this.canvas);
    this.canvas.addEventListener("webglcontextrestored", () => location.reload()); // phones take it away at times
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("pointerdown", () => document.getElementById("hint").classList.add("gone"));
    this.fit();
    this.look(Object.keys(avatar.header.views)[0]);
  }

  /** Draw anew at the next chance; moved: the person too, not only the camera. */
  refresh(moved = false) {
    this.stale.picture = true;
    if (moved) this.stale.body = true;
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => {
      this.waiting = false;
      this.draw(now);
    });
  }

  /** Draw now what is stale; while a motion plays, ask for the next picture. */
  draw(now = performance.now()) {
    if (this.stale.body || this.controls.motion) {
      this.body.drive(this.controls.signal(now));
      this.splats.take(this.body.splats);
      this.stale.body = false;
      this.stale.picture = true;
    }
    if (this.stale.picture) this.splats.draw(this.camera.view(), this.background);
    this.stale.picture = false;
    if (this.controls.motion) this.refresh(true);
  }

  look(name) {
    this.views.press(name);
    this.camera.frame(this.body.header.views[name]);
  }

  /** Give the canvas as many pixels as the screen shows of it. */
  fit() {
    const sharpness = Math.min(window.devicePixelRatio || 1, SHARPEST);
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * sharpness));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * sharpness));
    this.refresh();
  }

  /** Buttons for backgrounds, and a field for any colour. */
  paint() {
    const place = document.getElementById("backgrounds");
    const own = Object.assign(document.createElement("input"), { type: "color", value: "#c8d4e3", title: "Any colour" });
    own.setAttribute("aria-label", "Background of any colour");
    const swatches = Object.entries(BACKGROUNDS).map(([name, colour]) => {
      const swatch = button("", () => choose(colour, swatch));
      swatch.className = "swatch";
      swatch.title = name;
      swatch.setAttribute("aria-label", `${name} background`);
      swatch.style.background = colour;
      return swatch;
    });
    const choose = (colour, chosen) => {
      this.background = [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16) / 255);
      for (const swatch of swatches) swatch.setAttribute("aria-pressed", String(swatch === chosen));
      this.refresh();
    };
    own.addEventListener("input", () => choose(own.value, null));
    place.append(...swatches, own);
    choose(BACKGROUNDS.White, swatches[0]);
  }
}

/** The motions by name, their numbers as floats. */
function unpacked({ header, arrays }) {
  const motions = {};
  let start = 0;
  for (const { name, fps, frames } of header.motions) {
    const motion = { fps, frames };
    for (const [part, width, unit] of header.signal) {
      motion[part] = Array.from(arrays.motions.subarray(start, start + frames * width), (x) => x * unit);
      start += frames * width;
    }
    motions[name] = motion;
  }
  return motions;
}

const ready = readAvatar().then((avatar) => {
  window.page = new Page(avatar);
  window.page.draw();
  document.getElementById("message").textContent = "";
  return window.page;
});
ready.catch((error) => {
  document.getElementById("message").textContent = `This avatar cannot be shown here: ${error.message}`;
});
