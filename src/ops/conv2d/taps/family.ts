/** The variants of the kernels that sum taps, a convolution's output or its input gradient, launched in one place. */
import { tapsOnLanes } from '#lane-variants';
import type { DeviceBuffer } from '../../../gpu/device-buffer.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import { Tensor } from '../../../tensor/tensor.ts';
import { chooseVariant, type KernelFamily } from '../../variants/kernel-variants.ts';
import { launchPlan } from '../../variants/launch-plan.ts';
import { noise, reach, rehearsal, suffixOf } from '../../variants/rehearsal.ts';
import { spreadOf } from '../geometry.ts';
import { withPaddedChannels } from '../padded-channels.ts';
import { depthwise, grouped } from './grouped-variants.ts';
import type { TapPass } from './pass.ts';
import { blocks } from './software-variants.ts';
import { tiled } from './tiled-variants.ts';
import { flopsOf, type TapVariant } from './variant.ts';

export interface TapBuffers {
  readonly source: DeviceBuffer;
  readonly weight: DeviceBuffer;
  /** f32 */
  readonly bias?: DeviceBuffer | undefined;
  readonly result: DeviceBuffer;
  /** Whether to add to what the result holds; by default it is replaced. */
  readonly accumulate?: boolean;
}

/** Of a bias that a kernel binds in quads, the most that its binding needs. */
const QUAD_BYTES = 16;

/** Runs passes over one source image by one variant, as many in a launch as it takes. */
function launchTaps(
  engine: Runtime,
  variant: TapVariant,
  passes: readonly TapPass[],
  { source, weight, bias, result, accumulate = false }: TapBuffers,
): void {
  const [{ batch, height, width, channels, stored }] = passes as readonly [TapPass];
  const output = { hasBias: bias !== undefined, accumulate };
  const { mostPhases = 1 } = variant;
  // The kernels bind a bias whether there is one or not. Few weights, stored as f16, are shorter than a quad of f32.
  const standIn = bias || weight.bytes >= QUAD_BYTES ? undefined : Tensor.empty(engine, [4], 'f32', 'conv2d');
  const shift = bias ?? standIn?.storage ?? weight;
  const launch = (storage: DeviceBuffer): void => {
    for (let i = 0; i < passes.length; i += mostPhases) {
      const phases = passes.slice(i, i + mostPhases);
      const plan = variant.plan(engine, phases[0] as TapPass, output, phases);
      const flops = phases.reduce((sum, phase) => sum + flopsOf(phase), 0);
      launchPlan(engine, plan, [storage, weight, shift, result], flops);
    }
  };
  if (variant.padsChannels) {
    withPaddedChannels(engine, { storage: source, pixels: batch * height * width, channels, stored }, launch);
  } else launch(source);
  standIn?.dispose();
}

/** Runs the passes of a convolution's output or of its input gradient, each by the variant chosen for it. */
export function sumTaps(engine: Runtime, passes: readonly TapPass[], buffers: TapBuffers): void {
  const variants = passes.map((pass) => chooseVariant(engine, tapFamily, pass));
  for (const variant of new Set(variants)) {
    const own = passes.filter((_, i) => variants[i] === variant);
    launchTaps(engine, variant, own, buffers);
  }
}

export const tapFamily: KernelFamily<TapPass, TapVariant> = {
  name: 'conv2d',
  preference: 'conv2d',
  // Best first.
  variants: /* @__PURE__ */ [depthwise].concat(tapsOnLanes, grouped, blocks, tiled),
  flopsOf,
  // The weights of an input gradient are turned.
  describe: (p) =>
    `${p.batch}×${p.height}×${p.width}×${p.channels} → ${p.rows}×${p.columns}×${p.targetChannels}, ` +
    `${p.tapRows}×${p.tapColumns}${p.isGradient ? 'ᵀ' : ''}${spreadOf(p.tapStepY, p.tapStepX, p.groups)}${suffixOf(p.stored)}`,
  rehearse(engine, p) {
    const source = noise(engine, p.batch * p.height * p.width * p.channels, p.stored);
    const taps = [p.tapRows, p.tapColumns, p.groups, p.channels / p.groups, p.targetChannels / p.groups];
    const strides = [p.weightY, p.weightX, p.weightGroup, p.weightSource, p.weightTarget];
    const weight = noise(engine, reach(p.weightOrigin, taps, strides), p.stored);
    const result = noise(engine, p.batch * p.targetHeight * p.targetWidth * p.targetChannels, p.stored);
    return rehearsal(engine, [source, weight, result], (variant) =>
      launchTaps(engine, variant, [p], { source: source.storage, weight: weight.storage, result: result.storage }),
    );
  },
};
