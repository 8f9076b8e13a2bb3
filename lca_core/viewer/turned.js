/* A picture that is turned: drag to go round, pinch to come nearer, or turn the wheel once you have clicked on it. */

const ACROSS = 0.46, DOWN = 0.34; // degrees for a pixel, as on the page
const WHEEL = 0.0012; // logarithm of how much nearer, for a pixel that a wheel scrolls

function render({ model, el }) {
  const picture = document.createElement("img");
  picture.className = "turned-picture";
  picture.alt = "The avatar: drag to turn it";
  picture.draggable = false;
  picture.tabIndex = 0; // a click takes the wheel, another elsewhere gives it back to the notebook
  Object.assign(picture.style, {
    width: `${model.get("px")}px`, maxWidth: "100%", display: "block", cursor: "grab", touchAction: "none",
  });
  el.append(picture);

  let loading = false, late = false; // one at a time: a picture that is replaced before it is read is never seen
  const show = () => {
    late = loading;
    if (loading) return;
    loading = true;
    const before = picture.src;
    picture.src = URL.createObjectURL(new Blob([model.get("value")], { type: "image/jpeg" }));
    if (before) URL.revokeObjectURL(before);
  };
  for (const end of ["load", "error"]) {
    picture.addEventListener(end, () => {
      loading = false;
      if (late) show();
    });
  }
  model.on("change:value", show);
  show();

  const turn = (right, down, nearer) => {
    const [azimuth, elevation, zoom] = model.get("camera");
    const { elevation: tilt, zoom: range } = model.get("limits");
    const held = (value, [low, high]) => Math.min(Math.max(value, low), high);
    const round = azimuth - ACROSS * right;
    model.set("camera", [
      round - 360 * Math.round(round / 360), held(elevation + DOWN * down, tilt), held(zoom * nearer, range),
    ]);
    model.save_changes();
  };

  const fingers = new Map();
  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    picture.style.cursor = "grabbing";
  });
  picture.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    fingers.set(event.pointerId, now);
    if (other) {
      const apart = ([x, y]) => Math.max(Math.hypot(x - other[1][0], y - other[1][1]), 1);
      turn(0, 0, apart(now) / apart(before));
    } else {
      turn(now[0] - before[0], now[1] - before[1], 1);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    picture.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      picture.style.cursor = "grab";
    });
  }
  picture.addEventListener("wheel", (event) => {
    if (document.activeElement !== picture && !event.ctrlKey) return; // the notebook scrolls; a pinch comes with ctrl
    event.preventDefault();
    turn(0, 0, Math.exp(-WHEEL * event.deltaY));
  }, { passive: false });

  return () => {
    model.off("change:value", show);
    URL.revokeObjectURL(picture.src);
  };
}

export default { render };
