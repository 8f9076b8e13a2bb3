"use strict";
/* A camera that goes round the person: drag to turn, pinch or wheel to come nearer, two fingers or shift to move. */

const NEAREST = 0.25, FARTHEST = 8; // metres from what is looked at
const STEEPEST = 1.4; // radians above or below
const ABOVE = 28, BELOW = 54; // pixels of the page, at the edges, where words and buttons are

class Camera {
  /** canvas: what is dragged upon; changed: called after every change. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, azimuth: 0, elevation: 0, distance: 3, target: [0, 0, 0], field: [1, 1] });
    this.fingers = new Map();
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.nearer(Math.exp(0.0012 * event.deltaY));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Look at a target [3] from straight ahead, where `field` (width and height there, metres) just fits. */
  frame({ target, field, distance }) {
    Object.assign(this, { target: target.slice(), field, distance, reference: distance, azimuth: 0.3, elevation: 0.06 });
    this.changed();
  }

  /** What `Splats.draw` wants of it. */
  view() {
    const { canvas, azimuth, elevation, distance, target, field, reference } = this;
    const towards = [Math.sin(azimuth) * Math.cos(elevation), Math.sin(elevation), Math.cos(azimuth) * Math.cos(elevation)];
    const forward = towards.map((value) => -value);
    const right = [Math.cos(azimuth), 0, -Math.sin(azimuth)];
    const down = [
      forward[1] * right[2] - forward[2] * right[1],
      forward[2] * right[0] - forward[0] * right[2],
      forward[0] * right[1] - forward[1] * right[0],
    ];
    const turn = [...right, ...down, ...forward];
    const eye = target.map((value, axis) => value + distance * towards[axis]);
    const shift = rotated(turn, eye).map((value) => -value);
    const sharpness = canvas.height / canvas.clientHeight;
    const clear = Math.max(canvas.height - (ABOVE + BELOW) * sharpness, canvas.height / 2);
    const focal = reference * Math.min(canvas.width / field[0], clear / field[1]);
    const middle = (canvas.height + (ABOVE - BELOW) * sharpness) / 2;
    return { turn, shift, lens: [focal, focal, canvas.width / 2, middle] };
  }

  turnBy(right, down) {
    this.azimuth -= right;
    this.elevation = Math.min(Math.max(this.elevation + down, -STEEPEST), STEEPEST);
    this.changed();
  }

  nearer(factor) {
    this.distance = Math.min(Math.max(this.distance * factor, NEAREST), FARTHEST);
    this.changed();
  }

  /** Move sideways by so many pixels of the page. */
  slide(right, down) {
    const { turn, lens } = this.view();
    const metres = (this.distance / lens[0]) * (this.canvas.width / this.canvas.clientWidth);
    this.target = this.target.map((value, axis) => value - metres * (right * turn[axis] + down * turn[3 + axis]));
    this.changed();
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const [right, down] = [now[0] - before[0], now[1] - before[1]];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId);
    this.fingers.set(event.pointerId, now);
    if (other) {
      const apart = ([x, y]) => Math.hypot(x - other[1][0], y - other[1][1]);
      this.nearer(apart(before) / Math.max(apart(now), 1));
      this.slide(right / 2, down / 2);
    } else if (event.shiftKey || event.buttons === 4) {
      this.slide(right, down);
    } else {
      this.turnBy(0.008 * right, 0.006 * down);
    }
  }

  key(event) {
    const turns = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    if (turns[event.key]) this.turnBy(...turns[event.key]);
    else if (event.key === "+") this.nearer(0.9);
    else if (event.key === "-") this.nearer(1 / 0.9);
    else return;
    event.preventDefault();
  }
}
