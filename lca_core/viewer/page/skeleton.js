"use strict";
/* Joint rotations to joint transforms, as `lca_core.body.joint_transforms` computes them. */

const IDENTITY = [1, 0, 0, 0];

/** The quaternion wxyz of an axis-angle vector, radians. */
function quaternionOf(x, y, z) {
  const angle = Math.hypot(x, y, z);
  const share = angle < 1e-6 ? 0.5 : Math.sin(angle / 2) / angle;
  return [Math.cos(angle / 2), share * x, share * y, share * z];
}

/** The Hamilton product of two quaternions wxyz: the rotation b, then a. */
function multiply(a, b) {
  return [
    a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
    a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
    a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
    a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
  ];
}

/** The rotation matrix, nine numbers row by row, of a unit quaternion wxyz. */
function matrixOf([w, x, y, z]) {
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ];
}

function rotated(m, v) {
  return [
    m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
    m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
    m[6] * v[0] + m[7] * v[1] + m[8] * v[2],
  ];
}

class Skeleton {
  /** description: joints [J][3] (rest, metres), parents [J] (-1 for the pelvis; parents come first), sources [J]: where
   * a joint's rotation stands in [theta's joints, zero, root, left eye, right eye]. */
  constructor({ joints, parents, sources }) {
    Object.assign(this, { joints, parents, sources });
    this.matrices = new Float32Array(12 * joints.length); // 3 x 4 each, row by row: T-pose to world
    this.quaternions = new Float32Array(4 * joints.length); // their rotations, wxyz
  }

  /** Pose it: theta (radians, axis-angles in a row), root (axis-angle and shift), gaze (yaw and pitch, left and right). */
  pose({ theta, root, gaze }) {
    const turns = [...theta, 0, 0, 0, root[0], root[1], root[2], -gaze[1], gaze[0], 0, -gaze[3], gaze[2], 0];
    const world = [];
    const places = [];
    for (let joint = 0; joint < this.joints.length; joint++) {
      const at = 3 * this.sources[joint];
      const own = quaternionOf(turns[at], turns[at + 1], turns[at + 2]);
      const parent = this.parents[joint];
      const above = parent < 0 ? IDENTITY : world[parent];
      world[joint] = multiply(above, own);
      const rest = this.joints[joint];
      if (parent < 0) {
        places[joint] = rest.slice();
      } else {
        const bone = rest.map((value, axis) => value - this.joints[parent][axis]);
        places[joint] = rotated(matrixOf(above), bone).map((value, axis) => value + places[parent][axis]);
      }
      const matrix = matrixOf(world[joint]);
      const carried = rotated(matrix, rest);
      for (let row = 0; row < 3; row++) {
        const shift = places[joint][row] + root[3 + row] - carried[row];
        this.matrices.set([...matrix.slice(3 * row, 3 * row + 3), shift], 12 * joint + 4 * row);
      }
      this.quaternions.set(world[joint], 4 * joint);
    }
  }
}
