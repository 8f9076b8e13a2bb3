"use strict";
/* Gaussians drawn with WebGL 2, as `lca_core.splats.draw` draws them (EWA splatting, Zwicker et al. 2001; Kerbl et al. 2023).
 *
 * One quad a Gaussian, the farthest first, blended as sRGB with premultiplied alpha. A pixel's own variance, 1/12 px^2, is
 * added to every projected covariance and nothing more.
 */

const ROW = 1024; // texels in a row of the texture with the Gaussians' numbers
const TEXELS = 4; // a Gaussian
const BINS = 1 << 16; // of depth

const VERTEX = `#version 300 es
precision highp float;
precision highp int;
uniform highp sampler2D numbers;
uniform highp usampler2D order; // which Gaussian is drawn at each place, the farthest first
uniform mat3 turn;   // world to camera (x right, y down, z forward)
uniform vec3 shift;
uniform vec4 lens;   // focal lengths and principal point, pixels
uniform vec2 size;   // of the picture, pixels
out vec2 deviations; // from the Gaussian's middle, in its standard deviations
flat out vec4 paint; // colour and opacity

mat3 rotation(vec4 q) {
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

void main() {
  int turn_to_draw = gl_VertexID / 4;
  int which = int(texelFetch(order, ivec2(turn_to_draw % ${ROW}, turn_to_draw / ${ROW}), 0).r);
  int first = which * ${TEXELS};
  ivec2 at = ivec2(first % ${ROW}, first / ${ROW});
  vec4 place = texelFetch(numbers, at, 0);
  vec4 quaternion = normalize(texelFetch(numbers, at + ivec2(1, 0), 0));
  vec3 scales = texelFetch(numbers, at + ivec2(2, 0), 0).xyz;
  vec3 colour = texelFetch(numbers, at + ivec2(3, 0), 0).rgb;

  vec3 seen = turn * place.xyz + shift;
  float opacity = place.w;
  gl_Position = vec4(2.0, 2.0, 0.0, 1.0); // outside: not drawn
  deviations = vec2(0.0);
  paint = vec4(colour, opacity);
  if (seen.z < 0.01 || opacity < 1.0 / 255.0) return;

  // The projection's Jacobian; its direction is held 30 % outside the picture.
  vec2 margin = 0.15 * size / lens.xy;
  vec2 ray = clamp(seen.xy / seen.z, -lens.zw / lens.xy - margin, (size - lens.zw) / lens.xy + margin);
  mat3 axes = turn * rotation(quaternion);
  vec3 right = lens.x / seen.z * (vec3(axes[0].x, axes[1].x, axes[2].x) - ray.x * vec3(axes[0].z, axes[1].z, axes[2].z));
  vec3 down = lens.y / seen.z * (vec3(axes[0].y, axes[1].y, axes[2].y) - ray.y * vec3(axes[0].z, axes[1].z, axes[2].z));
  right *= scales;
  down *= scales;
  float a = dot(right, right) + 1.0 / 12.0;
  float b = dot(right, down);
  float c = dot(down, down) + 1.0 / 12.0;

  // Half axes of the ellipse at one standard deviation, and how many of those it is seen at.
  float middle = 0.5 * (a + c);
  float half_difference = length(vec2(0.5 * (a - c), b));
  float longer = middle + half_difference;
  float shorter = max((a * c - b * b) / longer, 1e-6);
  vec2 along = abs(b) > 1e-7 * longer ? normalize(vec2(b, longer - a)) : (a >= c ? vec2(1.0, 0.0) : vec2(0.0, 1.0));
  float reach = sqrt(2.0 * log(255.0 * opacity));
  vec2 corner = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0;
  deviations = corner * reach;
  vec2 offset = deviations.x * sqrt(longer) * along + deviations.y * sqrt(shorter) * vec2(-along.y, along.x);
  vec2 pixel = lens.xy * seen.xy / seen.z + lens.zw + offset;
  gl_Position = vec4(2.0 * pixel.x / size.x - 1.0, 1.0 - 2.0 * pixel.y / size.y, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec2 deviations;
flat in vec4 paint;
out vec4 result;

void main() {
  float alpha = min(0.999, paint.a * exp(-0.5 * dot(deviations, deviations)));
  if (alpha < 1.0 / 255.0) discard;
  result = vec4(paint.rgb * alpha, alpha);
}`;

class Splats {
  /** Draws `count` Gaussians into a canvas; throws an Error that says so where there is no WebGL 2. */
  constructor(canvas, count) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false });
    if (!gl) throw new Error("This browser offers no WebGL 2, which the picture needs.");
    this.gl = gl;
    this.canvas = canvas;
    this.count = count;
    this.rows = Math.ceil((count * TEXELS) / ROW);
    this.numbers = new Float32Array(this.rows * ROW * 4);
    this.order = new Uint32Array(Math.ceil(count / ROW) * ROW);
    this.bins = new Uint32Array(BINS + 1);
    this.keys = new Uint16Array(count);
    this.depths = new Float32Array(count);
    this.program = linked(gl);
    this.places = {};
    for (const name of ["numbers", "order", "turn", "shift", "lens", "size"]) {
      this.places[name] = gl.getUniformLocation(this.program, name);
    }
    texture(gl, gl.TEXTURE0, gl.RGBA32F, this.rows);
    texture(gl, gl.TEXTURE1, gl.R32UI, this.order.length / ROW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, quads(count), gl.STATIC_DRAW);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Take posed Gaussians over, 16 floats each. */
  take(splats) {
    const { gl } = this;
    this.numbers.set(splats);
    gl.activeTexture(gl.TEXTURE0);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, ROW, this.rows, gl.RGBA, gl.FLOAT, this.numbers);
  }

  /** Draw them. view: turn (nine numbers, row by row), shift [3], lens [4]; background: red, green, blue in [0, 1]. */
  draw({ turn, shift, lens }, background) {
    const { gl, canvas, places } = this;
    this.sort(turn, shift);
    gl.activeTexture(gl.TEXTURE1);
    const rows = this.order.length / ROW;
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, ROW, rows, gl.RED_INTEGER, gl.UNSIGNED_INT, this.order);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
    gl.uniform1i(places.numbers, 0);
    gl.uniform1i(places.order, 1);
    gl.uniformMatrix3fv(places.turn, true, turn);
    gl.uniform3fv(places.shift, shift);
    gl.uniform4fv(places.lens, lens);
    gl.uniform2f(places.size, canvas.width, canvas.height);
    gl.drawElements(gl.TRIANGLES, 6 * this.count, gl.UNSIGNED_INT, 0);
  }

  /** The order in which to draw, the farthest first: a counting sort of depths. */
  sort(turn, shift) {
    const { count, numbers, depths, keys, bins, order } = this;
    let nearest = Infinity, farthest = -Infinity;
    for (let i = 0; i < count; i++) {
      const at = 16 * i;
      const depth = turn[6] * numbers[at] + turn[7] * numbers[at + 1] + turn[8] * numbers[at + 2] + shift[2];
      depths[i] = depth;
      if (depth < nearest) nearest = depth;
      if (depth > farthest) farthest = depth;
    }
    const scale = (BINS - 1) / Math.max(farthest - nearest, 1e-9);
    bins.fill(0);
    for (let i = 0; i < count; i++) {
      keys[i] = (farthest - depths[i]) * scale;
      bins[keys[i] + 1]++;
    }
    for (let bin = 0; bin < BINS; bin++) bins[bin + 1] += bins[bin];
    for (let i = 0; i < count; i++) order[bins[keys[i]]++] = i;
  }
}

/** A texture of ROW columns in a place of its own, read number by number. */
function texture(gl, place, format, rows) {
  gl.activeTexture(place);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texStorage2D(gl.TEXTURE_2D, 1, format, ROW, rows);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}

/** Two triangles a Gaussian over its four corners, as one list of indices. */
function quads(count) {
  const corners = new Uint32Array(6 * count);
  for (let i = 0; i < count; i++) corners.set([4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 2, 4 * i + 1, 4 * i + 3], 6 * i);
  return corners;
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
