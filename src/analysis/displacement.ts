/** Parameters that are moved away from where they are, and come back. */
import { noGrad } from '../autograd/tape.ts';
import { copyInto, copyOf } from '../tensor/copy-into.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Where some parameters are, to be displaced from there. */
export class Displacement {
  /** Copies of the parameters as they were. */
  readonly centers: readonly Tensor[];

  constructor(readonly parameters: readonly Tensor[]) {
    this.centers = parameters.map((parameter) => parameter.engine.keep(copyOf(parameter, 'Displacement')));
  }

  /** Moves each parameter to what `place` makes of its centre; it is without a gradient. */
  move(place: (center: Tensor, index: number) => Tensor): void {
    this.parameters.forEach((parameter, index) => {
      const { engine } = parameter;
      noGrad(engine, () => engine.scope(() => copyInto(place(this.centers[index] as Tensor, index), parameter)));
    });
  }

  /** Moves them back, and frees what was held. */
  dispose(): void {
    for (const [index, center] of this.centers.entries()) {
      copyInto(center, this.parameters[index] as Tensor);
      center.dispose();
    }
  }
}
