/** Pieces of work by all variants of their kernel family, those too that the tuner would not look at on this adapter. */
import type { Engine } from 'engram';
import { layerNamed } from '../../../bench/cases/conv2d.ts';
import type { AdapterKind } from '../../gpu/adapter/adapter.ts';
import { fastest, measure } from '../../gpu/tuning/measurement.ts';
import { stopwatch } from '../../gpu/tuning/stopwatch.ts';
import { geometryOf } from '../../ops/conv2d/geometry.ts';
import { tapFamily } from '../../ops/conv2d/taps/family.ts';
import { forwardPass, inputGradientPasses, type TapPass } from '../../ops/conv2d/taps/pass.ts';
import { weightFamily } from '../../ops/conv2d/weights/family.ts';
import { matmulFamily } from '../../ops/matmul/family.ts';
import { addWideVariants } from '../../ops/matmul/wide-variants.ts';
import { type KernelFamily, type KernelVariant, variantsOf } from '../../ops/variants/kernel-variants.ts';
import type { FloatType } from '../../tensor/dtype.ts';
import type { MeasuredPiece, VariantTime } from './protocol.ts';

/** A piece of work of some family. */
export interface NamedPiece {
  readonly name: string;
  measureOn(engine: Engine): Promise<MeasuredPiece>;
}

async function measurePiece<Work extends object, Variant extends KernelVariant<Work>>(
  engine: Engine,
  name: string,
  family: KernelFamily<Work, Variant>,
  work: Work,
): Promise<MeasuredPiece> {
  const variants = variantsOf(engine, family).filter((variant) => variant.fits?.(work, engine) ?? true);
  const names = variants.map((variant) => variant.name);
  const faults = new Map<string, string>();
  const piece = { family: family.name, key: name, work: family.describe(work), flops: family.flopsOf(work) };
  const choice = await measure(
    engine,
    {
      ...piece,
      variants: names,
      rehearse() {
        const { launch, dispose } = family.rehearse(engine, work);
        return { launch: (wanted) => launch(variants[names.indexOf(wanted)] as Variant), dispose };
      },
    },
    { stopwatch, warn: (_, why, variant) => faults.set(variant ?? '', why.message) },
  );
  const ms = choice?.ms ?? {};
  const isPromising = (variant: Variant) => variant.isPromising?.(engine) ?? true;
  const promising = variants.filter(isPromising).map((variant) => variant.name);
  const running = promising.filter((variant) => ms[variant] !== undefined);
  return {
    type: 'piece',
    name,
    family: piece.family,
    work: piece.work,
    flops: piece.flops,
    rule: names[0] as string,
    tuned: running.length > 0 ? fastest(promising, ms) : null,
    variants: variants.map(
      (variant): VariantTime => ({
        variant: variant.name,
        ms: ms[variant.name] ?? null,
        isPromising: isPromising(variant),
        fault: faults.get(variant.name) ?? faults.get('') ?? null,
      }),
    ),
  };
}

const suffix = (stored: FloatType): string => (stored === 'f16' ? '/f16' : '');

const product = (n: number, stored: FloatType): NamedPiece => {
  const name = `matmul/${n}${suffix(stored)}`;
  const strides = { aRow: n, aCol: 1, aBatch: n * n, bRow: n, bCol: 1, bBatch: n * n };
  const work = { m: n, n, k: n, batch: 1, ...strides, stored };
  return { name, measureOn: (engine) => measurePiece(engine, name, matmulFamily, work) };
};

/** The output, the input gradient (its first phase) and the weight gradient of a layer of the benchmarks. */
function convolution(layer: string, stored: FloatType): NamedPiece[] {
  const { size, inputs, outputs, stride, batch } = layerNamed(layer);
  const g = geometryOf([batch, size, size, inputs], [3, 3, inputs, outputs], { stride, padding: 1 }, stored);
  const nameOf = (part: string) => `conv2d/${part}/${layer}${suffix(stored)}`;
  const taps = (part: string, pass: TapPass): NamedPiece => ({
    name: nameOf(part),
    measureOn: (engine) => measurePiece(engine, nameOf(part), tapFamily, pass),
  });
  return [
    taps('forward', forwardPass(g)),
    taps('input-gradient', inputGradientPasses(g)[0] as TapPass),
    {
      name: nameOf('weight-gradient'),
      measureOn: (engine) => measurePiece(engine, nameOf('weight-gradient'), weightFamily, g),
    },
  ];
}

const SIZES: Readonly<Record<AdapterKind, { products: readonly number[]; layers: readonly string[] }>> = {
  hardware: { products: [512, 1024], layers: ['32x32x16-16', '8x8x64-64', '16x16x128-128'] },
  software: { products: [256], layers: ['16x16x32-32'] },
};

/** The pieces for an engine's adapter, in f16 too where a GPU has it. */
export function piecesFor(engine: Engine): NamedPiece[] {
  addWideVariants(engine);
  const { products, layers } = SIZES[engine.adapterKind];
  const hasHalf = engine.adapterKind === 'hardware' && engine.device.features.has('shader-f16');
  const types: FloatType[] = hasHalf ? ['f32', 'f16'] : ['f32'];
  return types.flatMap((stored) => [
    ...products.map((n) => product(n, stored)),
    ...layers.flatMap((layer) => convolution(layer, stored)),
  ]);
}
