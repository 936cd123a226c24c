/** The variants of a convolution's weight gradient, launched in one place. */
import { weightsOnLanes } from '#lane-variants';
import type { DeviceBuffer } from '../../../gpu/device-buffer.ts';
import type { Runtime } from '../../../gpu/runtime.ts';
import type { KernelFamily } from '../../variants/kernel-variants.ts';
import { launchPlan } from '../../variants/launch-plan.ts';
import { addSplits, noise, rehearsal, suffixOf } from '../../variants/rehearsal.ts';
import type { Split } from '../../variants/split.ts';
import { type Geometry, spreadOf } from '../geometry.ts';
import { withPaddedChannels } from '../padded-channels.ts';
import { depthwise, grouped } from './grouped-variants.ts';
import { blocks } from './software-variants.ts';
import { tiled } from './tiled-variants.ts';
import { flopsOf, placesOf, type WeightVariant } from './variant.ts';

export interface WeightBuffers {
  readonly x: DeviceBuffer;
  readonly dy: DeviceBuffer;
  /** f32 [splits, kernelY, kernelX, in, out], to be added up. */
  readonly parts: DeviceBuffer;
}

/** Runs a weight gradient by one variant. */
export function launchWeights(
  engine: Runtime,
  variant: WeightVariant,
  g: Geometry,
  split: Split,
  { x, dy, parts }: WeightBuffers,
): void {
  const launch = (images: DeviceBuffer): void =>
    launchPlan(engine, variant.plan(engine, g, split), [images, dy, parts], flopsOf(g));
  if (variant.padsChannels) {
    const pixels = g.batch * g.height * g.width;
    withPaddedChannels(engine, { storage: x, pixels, channels: g.inChannels, stored: g.stored }, launch);
  } else launch(x);
}

export const weightFamily: KernelFamily<Geometry, WeightVariant> = {
  name: 'conv2d weights',
  preference: 'conv2d',
  // Best first.
  variants: /* @__PURE__ */ [depthwise, grouped].concat(weightsOnLanes, blocks, tiled),
  flopsOf,
  describe: (g) =>
    `${g.batch}×${g.height}×${g.width}×${g.inChannels} → ${g.outHeight}×${g.outWidth}×${g.outChannels}, ` +
    `${g.kernelY}×${g.kernelX}${spreadOf(g.dilationY, g.dilationX, g.groups)}${suffixOf(g.stored)}`,
  rehearse(engine, g) {
    const x = noise(engine, g.batch * g.height * g.width * g.inChannels, g.stored);
    const dy = noise(engine, g.batch * g.outHeight * g.outWidth * g.outChannels, g.stored);
    return rehearsal(engine, [x, dy], (variant) => {
      const split = variant.split(engine, g);
      addSplits(engine, split.splits, placesOf(g) * g.outChannels, ({ storage: parts }) =>
        launchWeights(engine, variant, g, split, { x: x.storage, dy: dy.storage, parts }),
      );
    });
  },
};
