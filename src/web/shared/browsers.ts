/** Where WebGPU is to be had. */
export const BROWSERS =
  'WebGPU is in Chrome and Edge from 113 on, Safari from 26 on, and Firefox from 141 on (Windows) and 145 on (macOS).';
