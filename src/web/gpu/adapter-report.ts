/** What an adapter says of itself, and what the engine makes of it. */
import type { AdapterChoice } from '../../gpu/adapter/adapter.ts';
import type { AdapterInfo } from '../../gpu/adapter/adapter-info.ts';
import { type MatrixConfig, SUBGROUP_MATRIX } from '../../gpu/adapter/subgroup-matrix.ts';
import type { AdapterReport, Use } from './protocol.ts';

/** A browser's object as a plain one: its members are getters of a prototype, which no message carries. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? Number(value) : value;
  if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map(plain);
  return membersOf(value);
}

function membersOf(value: object): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const name in value) {
    const member: unknown = value[name as keyof typeof value];
    if (typeof member !== 'function') members[name] = plain(member);
  }
  return members;
}

function matricesOf(info: AdapterInfo = {}): string {
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  const texts = [...subgroupMatrixConfigs].map(
    ({ componentType, resultComponentType, M, N, K }) => `${M}×${N}×${K} of ${componentType} to ${resultComponentType}`,
  );
  return texts.length > 0 ? ` It offers ${texts.join(', ')}.` : '';
}

function usesOf({ features, info }: GPUAdapter): Use[] {
  const { subgroupMinSize: least, subgroupMaxSize: most } = (info as AdapterInfo) ?? {};
  const sizes = least ? ` They have ${least === most ? least : `${least} to ${most}`} threads here.` : '';
  const use = (name: string, feature: string, says: string): Use => ({
    name,
    feature,
    has: features.has(feature as GPUFeatureName),
    says,
  });
  return [
    use('half floats', 'shader-f16', 'Activations in half the memory, and a training step with them below.'),
    use(
      'subgroups',
      'subgroups',
      `Asked for with subgroup matrices, which need them; all other kernels of a page do without.${sizes}`,
    ),
    use(
      'timestamps',
      'timestamp-query',
      'The tuner, and the variants below, go by the device’s clock instead of the page’s.',
    ),
    use(
      'subgroup matrices',
      SUBGROUP_MATRIX,
      `One more variant of matrix products and convolutions, on the GPU’s matrix units. Experimental.${matricesOf(info)}`,
    ),
  ];
}

export const adapterReport = ({ adapter, kind, description }: AdapterChoice): AdapterReport => ({
  type: 'adapter',
  description,
  kind,
  info: membersOf(adapter.info),
  features: [...adapter.features].sort(),
  limits: membersOf(adapter.limits) as Record<string, number>,
  uses: usesOf(adapter),
});
