/** A camera on a sphere around the surface: turned, tilted and brought nearer. */
import { mat4 } from 'wgpu-matrix';

export interface Camera {
  /** Radians around the vertical. */
  readonly yaw: number;
  /** Radians above the horizon. */
  readonly pitch: number;
  /** From the middle, in halves of the square's side. */
  readonly distance: number;
}

export const USUAL_CAMERA: Camera = { yaw: 0.7, pitch: 0.72, distance: 3.1 };

/** Height that is looked at: most of a surface is around it. */
const MIDDLE = 0.5;

const clamped = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Moved by so much, within what shows the surface from above. */
export const moved = (camera: Camera, yaw: number, pitch: number, factor = 1): Camera => ({
  yaw: camera.yaw + yaw,
  pitch: clamped(camera.pitch + pitch, 0.05, 1.55),
  distance: clamped(camera.distance * factor, 1.6, 9),
});

/** From the surface to the screen, 4 × 4 column-major. @param aspect width over height. */
export function clipOf({ yaw, pitch, distance }: Camera, aspect: number): Float32Array {
  const eye = [
    distance * Math.cos(pitch) * Math.sin(yaw),
    MIDDLE + distance * Math.sin(pitch),
    distance * Math.cos(pitch) * Math.cos(yaw),
  ];
  // A tall screen sees as much from side to side as a wide one.
  const angle = aspect < 1 ? 2 * Math.atan(Math.tan(0.4) / aspect) : 0.8;
  const view = mat4.lookAt(eye, [0, MIDDLE, 0], [0, 1, 0]);
  return mat4.multiply(mat4.perspective(angle, aspect, 0.1, 30), view) as Float32Array;
}
