"use strict";
/* An avatar that moves: a driving signal to posed Gaussians.
 *
 * Every Gaussian has 14 numbers, each a plane over all Gaussians: colour 3 (logit), position 3 (T-pose, metres),
 * rotation 4 (wxyz), scale 3 (log metres), opacity 1. Directions change them: those that the driven branch was distilled
 * to, one face direction for each facial action, and learned ones of the face. How far to go along each is linear in the
 * signal. Then bones carry position and rotation (linear blend skinning).
 *
 * It is done here and not in a shader: sorting needs every depth on this side anyway, and it takes a few milliseconds.
 */

const COLOR = 0, POSITION = 3, ROTATION = 6, SCALE = 10, OPACITY = 13;
const LEAST_SCALE = -9, MOST_SCALE = -2; // log metres
const FLOATS = 16; // of a posed Gaussian: x y z opacity, rotation wxyz, scales and nothing, red green blue and nothing

class Body {
  constructor({ header, arrays }) {
    this.header = header;
    this.count = header.count;
    this.skeleton = new Skeleton(header.skeleton);
    this.base = planes(arrays.base, header.base.scales, header.base.middles);
    this.numbers = this.base.slice();
    this.driven = arrays.driven;
    this.face = { index: arrays.index, dirs: arrays.dirs, learned: arrays.learned };
    this.network = arrays; // its first, first_bias, second, second_bias and map
    this.joints = arrays.joints;
    this.weights = arrays.weights;
    this.splats = new Float32Array(FLOATS * this.count);
    this.steps = null; // along the directions, of the numbers as they are
  }

  /** Pose all Gaussians into `splats`. signal: theta [138], actions [52], gaze [4], root [6]. */
  drive(signal) {
    this.change(signal);
    this.skeleton.pose(signal);
    this.skin();
  }

  /** How far to go along each of the driven directions, held within what they were distilled from: linear in what the
   * driven branch's condition network makes of the signal, and in the squares of that. */
  drivenSteps({ theta, actions, gaze }) {
    const { first, first_bias, second, second_bias, map } = this.network;
    const { offset, low, high } = this.header.driven;
    const numbers = dense(second, second_bias, dense(first, first_bias, [...theta, ...actions, ...gaze]).map(gelu));
    const steps = dense(map, offset, [...numbers, ...numbers.map((x) => x * x)]);
    return steps.map((step, direction) => Math.min(Math.max(step, low[direction]), high[direction]));
  }

  /** The 14 numbers of every Gaussian under this signal, before bones move them. */
  change(signal) {
    const driven = this.drivenSteps(signal);
    const learned = this.header.learned.mix.map((row) => row.reduce((sum, x, i) => sum + x * signal.actions[i], 0));
    const steps = [...driven, ...signal.actions, ...learned];
    if (this.steps && steps.every((step, i) => step === this.steps[i])) return;
    this.steps = steps;
    const { count, numbers } = this;
    numbers.set(this.base);
    driven.forEach((step, direction) => {
      const scales = this.header.driven.scales[direction];
      for (let plane = 0; plane < OPACITY; plane++) {
        const factor = step * scales[plane];
        if (factor === 0) continue;
        const to = plane * count, from = (direction * OPACITY + plane) * count;
        for (let i = 0; i < count; i++) numbers[to + i] += factor * this.driven[from + i];
      }
    });
    this.changeFace(this.face.dirs, this.header.dirs.scales, signal.actions, POSITION);
    this.changeFace(this.face.learned, this.header.learned.scales, learned, COLOR);
  }

  /** Along directions of the face's Gaussians alone, whose planes begin with `first` of the 14. */
  changeFace(directions, scales, steps, first) {
    const { index } = this.face;
    const { count, numbers } = this;
    const moved = index.length;
    steps.forEach((step, direction) => {
      if (step === 0) return;
      scales[direction].forEach((scale, plane) => {
        const factor = step * scale;
        if (factor === 0) return;
        const to = (first + plane) * count, from = (direction * scales[direction].length + plane) * moved;
        for (let i = 0; i < moved; i++) numbers[to + index[i]] += factor * directions[from + i];
      });
    });
  }

  /** Posed Gaussians: means by the blended matrices; rotations by the blended quaternions, each in the half-space of the
   * heaviest joint's, which comes first. */
  skin() {
    const { count, numbers, joints, weights, splats } = this;
    const { matrices, quaternions } = this.skeleton;
    const most = joints.length / count;
    const sigmoid = (x) => 1 / (1 + Math.exp(-x));
    const size = (x) => Math.exp(Math.min(Math.max(x, LEAST_SCALE), MOST_SCALE));
    for (let i = 0; i < count; i++) {
      let m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, m5 = 0, m6 = 0, m7 = 0, m8 = 0, m9 = 0, m10 = 0, m11 = 0;
      let w = 0, x = 0, y = 0, z = 0;
      const heaviest = 4 * joints[i * most];
      const hw = quaternions[heaviest], hx = quaternions[heaviest + 1];
      const hy = quaternions[heaviest + 2], hz = quaternions[heaviest + 3];
      for (let k = i * most; k < (i + 1) * most && weights[k] > 0; k++) {
        const weight = weights[k] / 255;
        const row = 12 * joints[k], q = 4 * joints[k];
        m0 += weight * matrices[row];
        m1 += weight * matrices[row + 1];
        m2 += weight * matrices[row + 2];
        m3 += weight * matrices[row + 3];
        m4 += weight * matrices[row + 4];
        m5 += weight * matrices[row + 5];
        m6 += weight * matrices[row + 6];
        m7 += weight * matrices[row + 7];
        m8 += weight * matrices[row + 8];
        m9 += weight * matrices[row + 9];
        m10 += weight * matrices[row + 10];
        m11 += weight * matrices[row + 11];
        const qw = quaternions[q], qx = quaternions[q + 1], qy = quaternions[q + 2], qz = quaternions[q + 3];
        const signed = qw * hw + qx * hx + qy * hy + qz * hz < 0 ? -weight : weight;
        w += signed * qw;
        x += signed * qx;
        y += signed * qy;
        z += signed * qz;
      }
      const px = numbers[POSITION * count + i];
      const py = numbers[(POSITION + 1) * count + i];
      const pz = numbers[(POSITION + 2) * count + i];
      const a = numbers[ROTATION * count + i];
      const b = numbers[(ROTATION + 1) * count + i];
      const c = numbers[(ROTATION + 2) * count + i];
      const d = numbers[(ROTATION + 3) * count + i];
      const at = FLOATS * i;
      splats[at] = m0 * px + m1 * py + m2 * pz + m3;
      splats[at + 1] = m4 * px + m5 * py + m6 * pz + m7;
      splats[at + 2] = m8 * px + m9 * py + m10 * pz + m11;
      splats[at + 3] = numbers[OPACITY * count + i];
      splats[at + 4] = w * a - x * b - y * c - z * d; // not of unit length: the shader sees to that
      splats[at + 5] = w * b + x * a + y * d - z * c;
      splats[at + 6] = w * c - x * d + y * a + z * b;
      splats[at + 7] = w * d + x * c - y * b + z * a;
      for (let axis = 0; axis < 3; axis++) {
        splats[at + 8 + axis] = size(numbers[(SCALE + axis) * count + i]);
        splats[at + 12 + axis] = sigmoid(numbers[(COLOR + axis) * count + i]);
      }
    }
  }
}

/** A matrix, row by row, times a vector, plus a bias. */
function dense(weights, bias, vector) {
  return Array.from(bias, (start, row) => {
    let sum = start;
    for (let i = 0, at = row * vector.length; i < vector.length; i++, at++) sum += weights[at] * vector[i];
    return sum;
  });
}

/** The Gaussian error linear unit; the error function as in Abramowitz and Stegun 7.1.26, to 2e-7. */
function gelu(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * series * Math.exp(-z * z);
  return x * (x < 0 ? tail : 1 - tail);
}
