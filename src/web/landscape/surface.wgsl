// The loss over a plane as a surface: heights are logarithms, straight from the buffer that the engine wrote them to.

struct View {
  clip: mat4x4f,
  points: u32, // along each side
  stride: u32, // every so many of them are there
  lowest: f32, // log10 of the loss at height 0
  highest: f32, // and at height 1
  contours: f32, // lines from the bottom to the top
}

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<uniform> view: View;

struct Vertex {
  @builtin(position) position: vec4f,
  @location(0) place: vec3f, // the square is −1 … 1 in x and z, heights are 0 … 1
  @location(1) normal: vec3f,
}

const TALL = 1.1; // of the whole, in halves of the square's side
const LOG10 = 2.302585093;

fn height(column: u32, row: u32) -> f32 {
  let loss = losses[row * view.points + column];
  // Weights far from the minimum may overflow; NaN is told by its bits.
  let bits = bitcast<u32>(loss) & 0x7fffffffu;
  let level = select(log(clamp(loss, 1e-6, 1e6)) / LOG10, 6.0, bits > 0x7f800000u);
  return clamp((level - view.lowest) / (view.highest - view.lowest), 0.0, 1.0);
}

fn spot(column: u32, row: u32) -> vec3f {
  let last = f32(view.points - 1u);
  return vec3f(2.0 * f32(column) / last - 1.0, TALL * height(column, row), 2.0 * f32(row) / last - 1.0);
}

// Two triangles a cell; the normal is that of the grid around a point.
@vertex
fn surface(@builtin(vertex_index) index: u32) -> Vertex {
  let cells = (view.points - 1u) / view.stride;
  let cell = index / 6u;
  let corner = array(vec2u(0, 0), vec2u(1, 0), vec2u(0, 1), vec2u(0, 1), vec2u(1, 0), vec2u(1, 1))[index % 6u];
  let at = (vec2u(cell % cells, cell / cells) + corner) * view.stride;
  let top = view.points - 1u;
  let before = vec2u(max(at.x, view.stride) - view.stride, max(at.y, view.stride) - view.stride);
  let after = min(at + view.stride, vec2u(top));
  let across = spot(after.x, at.y) - spot(before.x, at.y);
  let along = spot(at.x, after.y) - spot(at.x, before.y);
  var out: Vertex;
  out.place = spot(at.x, at.y);
  out.position = view.clip * vec4f(out.place, 1.0);
  out.normal = normalize(cross(along, across));
  return out;
}

// From deep blue over green to sand: as bright as it is high, also for those who see fewer colours.
fn colour(height: f32) -> vec3f {
  let stops = array(
    vec3f(0.16, 0.17, 0.42), vec3f(0.13, 0.38, 0.55), vec3f(0.15, 0.56, 0.53), vec3f(0.47, 0.74, 0.42), vec3f(0.96, 0.90, 0.55),
  );
  let at = clamp(height, 0.0, 1.0) * 4.0;
  let low = min(u32(at), 3u);
  return mix(stops[low], stops[low + 1u], at - f32(low));
}

@fragment
fn shade(in: Vertex) -> @location(0) vec4f {
  let level = in.place.y / TALL;
  let light = 0.55 + 0.45 * abs(dot(normalize(in.normal), normalize(vec3f(0.4, 0.8, 0.45))));
  // A line where a contour passes: as wide on the screen wherever the surface is steep.
  let band = level * view.contours;
  let width = max(fwidth(band), 1e-4);
  let line = 1.0 - smoothstep(0.6, 1.4, abs(fract(band + 0.5) - 0.5) / width);
  var rgb = mix(colour(level) * light, vec3f(0.05, 0.07, 0.12), 0.55 * line);
  // Where the model is.
  let away = length(in.place.xz);
  rgb = mix(rgb, vec3f(0.95, 0.25, 0.2), 1.0 - smoothstep(0.028, 0.04, away));
  return vec4f(rgb, 1.0);
}
