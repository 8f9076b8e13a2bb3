// One image of splats and the gradients of a linear form of it, in plain C++: the yardstick of splats.py.
//
// The algorithm is that of lca_core/splats: projection in double; 16 x 16 px tiles kept as two strips of 8 columns;
// in a tile, splat by splat over the rows of its box; the backward pass draws front to back again and finds what
// lies behind a splat by subtraction; each (splat, tile) pair sums its gradients into its own row. One camera, three
// colours, no gradients of camera and background: a little less work than lca_core does, so a ceiling for it.
// The inner loops are written for the compiler's vectoriser (-O3 -march=native), without intrinsics.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr int TILE = 16, STRIP = 8, AREA = TILE * TILE, COLORS = 3, ROW = 6 + COLORS;
constexpr int CHECK = 16;  // splats between looks at whether a tile is finished
constexpr float ALPHA_MAX = 0.999f, ALPHA_MIN = 1.0f / 255.0f, T_MIN = 1e-4f;
constexpr float SIGMA_MAX = 5.6f;  // exp(-5.6) < 1/255
constexpr double EPS2D = 0.3, MARGIN = 0.3, SLACK = 1e-3;

template <class Item>
std::unique_ptr<Item[]> uninitialised(size_t count) {
  return std::unique_ptr<Item[]>(new Item[count]);
}

struct Camera {
  double r[3][3], t[3], fx, fy, cx, cy;
  int width, height;
};

struct Splat {
  double x, y;             // pixels
  double depth;            // metres
  float a, b, c, opacity;  // conic
};

struct Box {
  int x0, x1, y0, y1;         // first and last column and row; x1 < x0: not visible

  bool visible() const { return x1 >= x0; }
  int tiles() const { return ((x1 >> 4) - (x0 >> 4) + 1) * ((y1 >> 4) - (y0 >> 4) + 1); }
};

// A Gaussian seen by the camera: what projection and its gradient share.
struct View {
  double x, y, z, u, v;       // in the camera's frame; u = x / z and v = y / z, clamped near the image
  bool free_x, free_y;        // not clamped
  double j00, j02, j11, j12;  // Jacobian of the projection
  double g[2][3];             // Jacobian times the camera's rotation
  double r[3][3], q[4], unit; // the Gaussian's rotation, its unit quaternion, 1 / the quaternion's length
};

void rotate(const float* quat, View& view) {
  double squares = 0;
  for (int k = 0; k < 4; ++k) squares += double(quat[k]) * quat[k];
  view.unit = 1 / std::sqrt(squares);
  for (int k = 0; k < 4; ++k) view.q[k] = quat[k] * view.unit;
  const double w = view.q[0], x = view.q[1], y = view.q[2], z = view.q[3];
  const double rotation[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                                 {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                                 {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
  std::memcpy(view.r, rotation, sizeof rotation);
}

View look(const Camera& camera, const float* mean, const float* quat) {
  View view;
  double p[3];
  for (int i = 0; i < 3; ++i) {
    p[i] = camera.r[i][0] * mean[0] + camera.r[i][1] * mean[1] + camera.r[i][2] * mean[2] + camera.t[i];
  }
  view.x = p[0], view.y = p[1], view.z = p[2];
  const double margin_x = MARGIN * 0.5 * camera.width / camera.fx, margin_y = MARGIN * 0.5 * camera.height / camera.fy;
  const double u = view.x / view.z, v = view.y / view.z;
  view.u = std::clamp(u, -(camera.cx / camera.fx + margin_x), (camera.width - camera.cx) / camera.fx + margin_x);
  view.v = std::clamp(v, -(camera.cy / camera.fy + margin_y), (camera.height - camera.cy) / camera.fy + margin_y);
  view.free_x = view.u == u, view.free_y = view.v == v;
  view.j00 = camera.fx / view.z, view.j02 = -view.j00 * view.u;
  view.j11 = camera.fy / view.z, view.j12 = -view.j11 * view.v;
  for (int k = 0; k < 3; ++k) {
    view.g[0][k] = view.j00 * camera.r[0][k] + view.j02 * camera.r[2][k];
    view.g[1][k] = view.j11 * camera.r[1][k] + view.j12 * camera.r[2][k];
  }
  rotate(quat, view);
  return view;
}

void project(const Camera& camera, const float* mean, const float* quat, const float* scale, float opacity,
             double near, double far, Splat& splat, Box& box) {
  box = {0, -1, 0, -1};
  const double z = camera.r[2][0] * mean[0] + camera.r[2][1] * mean[1] + camera.r[2][2] * mean[2] + camera.t[2];
  if (z < near || z > far || opacity < ALPHA_MIN) return;
  const View view = look(camera, mean, quat);
  double a = EPS2D, b = 0, c = EPS2D;  // covariance in pixels
  for (int k = 0; k < 3; ++k) {
    double p[2];
    for (int i = 0; i < 2; ++i) {
      p[i] = (view.g[i][0] * view.r[0][k] + view.g[i][1] * view.r[1][k] + view.g[i][2] * view.r[2][k]) * scale[k];
    }
    a += p[0] * p[0], b += p[0] * p[1], c += p[1] * p[1];
  }
  const double determinant = a * c - b * b;
  if (!(determinant > 0)) return;
  splat.x = camera.fx * view.x / view.z + camera.cx;
  splat.y = camera.fy * view.y / view.z + camera.cy;
  const double reach = 2 * std::log(double(opacity) / ALPHA_MIN);
  const double wide = std::sqrt(reach * a) + SLACK, tall = std::sqrt(reach * c) + SLACK;
  if (splat.x + wide <= 0 || splat.x - wide >= camera.width) return;
  if (splat.y + tall <= 0 || splat.y - tall >= camera.height) return;
  box.x0 = int(std::max(std::ceil(splat.x - wide - 0.5), 0.0));
  box.x1 = int(std::min(std::floor(splat.x + wide - 0.5), camera.width - 1.0));
  box.y0 = int(std::max(std::ceil(splat.y - tall - 0.5), 0.0));
  box.y1 = int(std::min(std::floor(splat.y + tall - 0.5), camera.height - 1.0));
  if (box.y1 < box.y0) box.x1 = box.x0 - 1;
  splat.a = float(c / determinant), splat.b = float(-b / determinant), splat.c = float(a / determinant);
  splat.opacity = opacity;
  splat.depth = z;
}

struct Lists {
  std::vector<int> tile_start, row_start;  // of each tile's pairs; of each splat's gradient rows
  std::unique_ptr<int[]> splat, row;       // of each pair, in drawing order
};

struct Key {
  uint32_t bits;  // of the depth as a float: positive floats order like their bits
  int splat;
};

void sort_by_depth(const Splat* splats, std::vector<Key>& keys) {
  std::vector<Key> other(keys.size());
  std::vector<int> place(3 * 2048, 0);
  for (const Key& key : keys) {
    ++place[key.bits & 2047], ++place[2048 + ((key.bits >> 11) & 2047)], ++place[4096 + (key.bits >> 22)];
  }
  for (int digit = 0; digit < 3; ++digit) {
    int* to = &place[2048 * digit];
    int total = 0;
    for (int k = 0; k < 2048; ++k) {
      const int here = to[k];
      to[k] = total, total += here;
    }
    for (const Key& key : keys) other[to[(key.bits >> (11 * digit)) & 2047]++] = key;
    keys.swap(other);
  }
  for (size_t k = 1; k < keys.size(); ++k) {  // only what rounding has tied can be out of place
    const Key key = keys[k];
    size_t j = k;
    for (; j > 0 && splats[keys[j - 1].splat].depth > splats[key.splat].depth; --j) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

template <class Visit>
void each_tile(const Box& box, int tiles_x, Visit visit) {
  for (int y = box.y0 >> 4; y <= box.y1 >> 4; ++y) {
    for (int x = box.x0 >> 4; x <= box.x1 >> 4; ++x) visit(y * tiles_x + x);
  }
}

Lists bin(const Splat* splats, const Box* boxes, int count, int tiles_x, int tiles) {
  Lists lists;
  lists.tile_start.assign(tiles + 1, 0), lists.row_start.assign(count + 1, 0);
  std::vector<Key> keys;
  keys.reserve(count);
  for (int n = 0; n < count; ++n) {
    lists.row_start[n + 1] = lists.row_start[n];
    if (!boxes[n].visible()) continue;
    Key key{0, n};
    const float depth = float(splats[n].depth);
    std::memcpy(&key.bits, &depth, sizeof key.bits);
    keys.push_back(key);
    lists.row_start[n + 1] += boxes[n].tiles();
    each_tile(boxes[n], tiles_x, [&](int tile) { ++lists.tile_start[tile + 1]; });
  }
  sort_by_depth(splats, keys);
  for (int tile = 0; tile < tiles; ++tile) lists.tile_start[tile + 1] += lists.tile_start[tile];
  lists.splat = uninitialised<int>(lists.tile_start[tiles]);
  lists.row = uninitialised<int>(lists.tile_start[tiles]);
  std::vector<int> place(lists.tile_start.begin(), lists.tile_start.end() - 1);
  for (const Key& key : keys) {
    int row = lists.row_start[key.splat];
    each_tile(boxes[key.splat], tiles_x, [&](int tile) {
      const int to = place[tile]++;
      lists.splat[to] = key.splat, lists.row[to] = row++;
    });
  }
  return lists;
}

// Pixel i of a tile is in column 8 * (i / 128) + i % 8 and row (i % 128) / 8. Transmittance is positive while a pixel
// is open and negated when it closes.
struct alignas(64) Tile {
  float t[AREA], x[AREA], y[AREA], behind[AREA], color[COLORS][AREA];
  int left, top;

  Tile(int left, int top, const Camera& camera) : left(left), top(top) {
    std::memset(behind, 0, sizeof behind), std::memset(color, 0, sizeof color);
    for (int i = 0; i < AREA; ++i) {
      x[i] = column(i) + 0.5f, y[i] = line(i) + 0.5f;
      t[i] = left + column(i) < camera.width && top + line(i) < camera.height ? 1.0f : -1.0f;
    }
  }
  static int column(int i) { return (i >> 7) * STRIP + (i & 7); }
  static int line(int i) { return (i & 127) >> 3; }

  bool finished() const {
    float most = -1;
    for (int i = 0; i < AREA; ++i) most = std::max(most, t[i]);
    return most <= 0;
  }
};

// A splat in a tile: mean from the tile's corner, and the pixels of its box, an even number of rows.
struct Patch {
  float mx, my, a, b, c, opacity;
  int first_strip, last_strip, begin, end;

  Patch(const Splat& s, const Box& box, const Tile& tile)
      : mx(float(s.x - tile.left)), my(float(s.y - tile.top)), a(s.a), b(s.b), c(s.c), opacity(s.opacity) {
    first_strip = std::max(box.x0 - tile.left, 0) >> 3, last_strip = std::min(box.x1 - tile.left, TILE - 1) >> 3;
    begin = (std::max(box.y0 - tile.top, 0) & ~1) * STRIP;
    end = ((std::min(box.y1 - tile.top, TILE - 1) | 1) + 1) * STRIP;
  }
};

// exp(-x) on [0, 1.4] by a Chebyshev fit, to the fourth power.
inline float exp_minus(float sigma) {
  const float x = std::min(sigma, SIGMA_MAX) * 0.25f;
  float e = -9.987816174e-05f * x + 1.191265338e-03f;
  e = e * x - 8.113364987e-03f;
  e = e * x + 4.152733610e-02f;
  e = e * x - 1.666180646e-01f;
  e = e * x + 4.999916024e-01f;
  e = e * x - 9.999994438e-01f;
  e = e * x + 9.999999939e-01f;
  e = e * e;
  return e * e;
}

void draw(Tile& tile, const Patch& p, int strip, const float* color) {
  const float mx = p.mx, my = p.my, a = p.a, b = p.b, c = p.c, opacity = p.opacity;
  const float red = color[0], green = color[1], blue = color[2];
  const int first = strip * AREA / 2;
#pragma omp simd
  for (int i = first + p.begin; i < first + p.end; ++i) {
    const float dx = tile.x[i] - mx, dy = tile.y[i] - my;
    const float sigma = 0.5f * (a * dx * dx + c * dy * dy) + b * dx * dy;
    float alpha = std::min(opacity * exp_minus(sigma), ALPHA_MAX);
    alpha = alpha >= ALPHA_MIN ? alpha : 0.0f;
    const float t = tile.t[i], after = t * (1 - alpha);
    const float weight = after > T_MIN ? alpha * t : 0.0f;
    tile.t[i] = after > T_MIN ? after : -std::fabs(t);
    tile.color[0][i] += weight * red;
    tile.color[1][i] += weight * green;
    tile.color[2][i] += weight * blue;
  }
}

// The same again, with tile.color holding the gradient of the image: adds to a row of sums of dL/dsigma times
// 1, dx, dy, dx^2, dx dy, dy^2 and of dL/dcolor.
void differentiate(Tile& tile, const Patch& p, int strip, const float* color, float* row) {
  const float mx = p.mx, my = p.my, a = p.a, b = p.b, c = p.c, opacity = p.opacity;
  const float red = color[0], green = color[1], blue = color[2];
  const int first = strip * AREA / 2;
  float m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, m5 = 0, d_red = 0, d_green = 0, d_blue = 0;
#pragma omp simd reduction(+ : m0, m1, m2, m3, m4, m5, d_red, d_green, d_blue)
  for (int i = first + p.begin; i < first + p.end; ++i) {
    const float dx = tile.x[i] - mx, dy = tile.y[i] - my;
    const float sigma = 0.5f * (a * dx * dx + c * dy * dy) + b * dx * dy;
    const float full = opacity * exp_minus(sigma);
    float alpha = std::min(full, ALPHA_MAX);
    alpha = alpha >= ALPHA_MIN ? alpha : 0.0f;
    const float t = tile.t[i], through = 1 - alpha, after = t * through;
    const float weight = after > T_MIN ? alpha * t : 0.0f;
    tile.t[i] = after > T_MIN ? after : -std::fabs(t);
    const float value = red * tile.color[0][i] + green * tile.color[1][i] + blue * tile.color[2][i];
    const float behind = tile.behind[i] - weight * value;
    tile.behind[i] = behind;
    const float steep = behind * alpha / through - weight * value;
    const float slope = after > T_MIN && full <= ALPHA_MAX ? steep : 0.0f;
    const float sx = slope * dx, sy = slope * dy;
    m0 += slope, m1 += sx, m2 += sy, m3 += sx * dx, m4 += sx * dy, m5 += sy * dy;
    d_red += weight * tile.color[0][i], d_green += weight * tile.color[1][i], d_blue += weight * tile.color[2][i];
  }
  const float sums[ROW] = {m0, m1, m2, m3, m4, m5, d_red, d_green, d_blue};
  for (int k = 0; k < ROW; ++k) row[k] += sums[k];
}

// From a splat's sums to the gradients of its Gaussian.
void project_back(const Camera& camera, const Splat& splat, const View& view, const double* m, const float* scale,
                  float* d_mean, float* d_quat, float* d_scale, float* d_opacity) {
  const double a = splat.a, b = splat.b, c = splat.c;
  *d_opacity = float(-m[0] / splat.opacity);
  const double d_mx = -(a * m[1] + b * m[2]), d_my = -(b * m[1] + c * m[2]);
  // sigma is linear in the conic, whose gradient is half the second moments; covariance = conic^-1.
  const double ca = 0.5 * m[3], cb = 0.5 * m[4], cc = 0.5 * m[5];
  const double p00 = a * ca + b * cb, p01 = a * cb + b * cc, p10 = b * ca + c * cb, p11 = b * cb + c * cc;
  const double v00 = -(p00 * a + p01 * b), v01 = -(p00 * b + p01 * c), v11 = -(p10 * b + p11 * c);
  double d_g[2][3] = {}, d_r[3][3];
  for (int k = 0; k < 3; ++k) {
    double o[2], d[2];
    for (int i = 0; i < 2; ++i) {
      o[i] = view.g[i][0] * view.r[0][k] + view.g[i][1] * view.r[1][k] + view.g[i][2] * view.r[2][k];
    }
    const double size = scale[k];
    d[0] = 2 * (v00 * o[0] + v01 * o[1]) * size, d[1] = 2 * (v01 * o[0] + v11 * o[1]) * size;
    d_scale[k] = float(d[0] * o[0] + d[1] * o[1]);
    d[0] *= size, d[1] *= size;
    for (int i = 0; i < 3; ++i) {
      d_r[i][k] = d[0] * view.g[0][i] + d[1] * view.g[1][i];
      d_g[0][i] += d[0] * view.r[i][k], d_g[1][i] += d[1] * view.r[i][k];
    }
  }
  double d00 = 0, d02 = 0, d11 = 0, d12 = 0;
  for (int k = 0; k < 3; ++k) {
    d00 += d_g[0][k] * camera.r[0][k], d02 += d_g[0][k] * camera.r[2][k];
    d11 += d_g[1][k] * camera.r[1][k], d12 += d_g[1][k] * camera.r[2][k];
  }
  const double rz = 1 / view.z;
  double dx = view.j00 * d_mx, dy = view.j11 * d_my;
  double dz = -(view.j00 * view.x * d_mx + view.j11 * view.y * d_my + view.j00 * d00 + view.j11 * d11) * rz;
  dz += (view.j00 * view.u * d02 + view.j11 * view.v * d12) * rz;
  if (view.free_x) dx -= view.j00 * rz * d02, dz += view.j00 * view.u * rz * d02;
  if (view.free_y) dy -= view.j11 * rz * d12, dz += view.j11 * view.v * rz * d12;
  for (int k = 0; k < 3; ++k) d_mean[k] = float(camera.r[0][k] * dx + camera.r[1][k] * dy + camera.r[2][k] * dz);
  const double w = view.q[0], x = view.q[1], y = view.q[2], z = view.q[3];
  const double d_q[4] = {
      2 * (x * (d_r[2][1] - d_r[1][2]) + y * (d_r[0][2] - d_r[2][0]) + z * (d_r[1][0] - d_r[0][1])),
      2 * (y * (d_r[0][1] + d_r[1][0]) + z * (d_r[0][2] + d_r[2][0]) + w * (d_r[2][1] - d_r[1][2])) -
          4 * x * (d_r[1][1] + d_r[2][2]),
      2 * (x * (d_r[0][1] + d_r[1][0]) + z * (d_r[1][2] + d_r[2][1]) + w * (d_r[0][2] - d_r[2][0])) -
          4 * y * (d_r[0][0] + d_r[2][2]),
      2 * (x * (d_r[0][2] + d_r[2][0]) + y * (d_r[1][2] + d_r[2][1]) + w * (d_r[1][0] - d_r[0][1])) -
          4 * z * (d_r[0][0] + d_r[1][1])};
  double along = 0;
  for (int k = 0; k < 4; ++k) along += d_q[k] * view.q[k];
  for (int k = 0; k < 4; ++k) d_quat[k] = float((d_q[k] - along * view.q[k]) * view.unit);
}

}  // namespace

// All arrays float32 and dense, as numpy lays them out: means [N, 3], quats [N, 4] wxyz, scales [N, 3], opacities [N],
// colors [N, 3], viewmat [4, 4], K [3, 3], background [3], d_image [H, W, 3]. Writes image [H, W, 3] and the gradients.
extern "C" void splats_step(int count, int width, int height, int threads, double near, double far, const float* means,
                            const float* quats, const float* scales, const float* opacities, const float* colors,
                            const float* viewmat, const float* K, const float* background, const float* d_image,
                            float* image, float* d_means, float* d_quats, float* d_scales, float* d_opacities,
                            float* d_colors) {
  Camera camera{{}, {}, K[0], K[4], K[2], K[5], width, height};
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) camera.r[i][k] = viewmat[4 * i + k];
    camera.t[i] = viewmat[4 * i + 3];
  }
  const int tiles_x = (width + TILE - 1) / TILE, tiles = tiles_x * ((height + TILE - 1) / TILE);
  const auto splats = uninitialised<Splat>(count);
  const auto boxes = uninitialised<Box>(count);
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int n = 0; n < count; ++n) {
    project(camera, means + 3 * n, quats + 4 * n, scales + 3 * n, opacities[n], near, far, splats[n], boxes[n]);
  }
  const Lists lists = bin(splats.get(), boxes.get(), count, tiles_x, tiles);
  const auto left_over = uninitialised<float>(size_t(width) * height);

#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int number = 0; number < tiles; ++number) {
    Tile tile(number % tiles_x * TILE, number / tiles_x * TILE, camera);
    for (int k = lists.tile_start[number]; k < lists.tile_start[number + 1]; ++k) {
      if ((k - lists.tile_start[number]) % CHECK == CHECK - 1 && tile.finished()) break;
      const int s = lists.splat[k];
      const Patch patch(splats[s], boxes[s], tile);
      for (int strip = patch.first_strip; strip <= patch.last_strip; ++strip) draw(tile, patch, strip, colors + 3 * s);
    }
    for (int i = 0; i < AREA; ++i) {
      const int x = tile.left + Tile::column(i), y = tile.top + Tile::line(i);
      if (x >= width || y >= height) continue;
      const size_t pixel = size_t(y) * width + x;
      left_over[pixel] = std::fabs(tile.t[i]);
      for (int d = 0; d < COLORS; ++d) image[3 * pixel + d] = tile.color[d][i] + left_over[pixel] * background[d];
    }
  }

  const auto rows = uninitialised<float>(size_t(ROW) * lists.row_start[count]);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int number = 0; number < tiles; ++number) {
    Tile tile(number % tiles_x * TILE, number / tiles_x * TILE, camera);
    for (int i = 0; i < AREA; ++i) {
      const int x = tile.left + Tile::column(i), y = tile.top + Tile::line(i);
      if (x >= width || y >= height) continue;
      const size_t pixel = size_t(y) * width + x;
      for (int d = 0; d < COLORS; ++d) {
        tile.color[d][i] = d_image[3 * pixel + d];
        tile.behind[i] += d_image[3 * pixel + d] * image[3 * pixel + d];
      }
    }
    bool done = false;
    for (int k = lists.tile_start[number]; k < lists.tile_start[number + 1]; ++k) {
      float* row = &rows[size_t(ROW) * lists.row[k]];
      std::fill(row, row + ROW, 0.0f);
      if ((k - lists.tile_start[number]) % CHECK == CHECK - 1) done = done || tile.finished();
      if (done) continue;
      const int s = lists.splat[k];
      const Patch patch(splats[s], boxes[s], tile);
      for (int strip = patch.first_strip; strip <= patch.last_strip; ++strip) {
        differentiate(tile, patch, strip, colors + 3 * s, row);
      }
    }
  }

#pragma omp parallel for schedule(static) num_threads(threads)
  for (int n = 0; n < count; ++n) {
    std::fill(d_means + 3 * n, d_means + 3 * n + 3, 0.0f), std::fill(d_quats + 4 * n, d_quats + 4 * n + 4, 0.0f);
    std::fill(d_scales + 3 * n, d_scales + 3 * n + 3, 0.0f), d_opacities[n] = 0;
    double sums[ROW] = {};
    for (int row = lists.row_start[n]; row < lists.row_start[n + 1]; ++row) {
      for (int k = 0; k < ROW; ++k) sums[k] += rows[size_t(ROW) * row + k];
    }
    for (int d = 0; d < COLORS; ++d) d_colors[3 * n + d] = float(sums[6 + d]);
    if (lists.row_start[n] == lists.row_start[n + 1]) continue;
    project_back(camera, splats[n], look(camera, means + 3 * n, quats + 4 * n), sums, scales + 3 * n, d_means + 3 * n,
                 d_quats + 4 * n, d_scales + 3 * n, d_opacities + n);
  }
}
