/**
 * What a device says about its subgroup matrices: the GPU's circuits that multiply small matrices, which a kernel reaches through
 * Dawn's experimental extension for subgroup matrices. Only who asks for it gets a device with the feature.
 * Source: docs/dawn/features/subgroup_matrix.md in Dawn's repository.
 */

/** Dawn's name of the feature, which WebGPU's types do not know. */
export const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

/** A product that the units can do: M × K by K × N. */
export interface MatrixConfig {
  /** Of the factors: `f32`, `f16` or a type of whole numbers. */
  readonly componentType: string;
  /** Of the sums. */
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What the device's units can do; empty where it has none, or was made without the feature. */
export function matrixConfigs({ features, adapterInfo }: GPUDevice): readonly MatrixConfig[] {
  if (!features.has(SUBGROUP_MATRIX) || !features.has('subgroups')) return [];
  const { subgroupMatrixConfigs } = adapterInfo as { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  return [...(subgroupMatrixConfigs ?? [])];
}
