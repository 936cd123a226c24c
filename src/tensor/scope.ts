/** Memory by scope: what is made inside is freed at the end unless it is returned or kept. */
import { Engine } from '../gpu/engine.ts';
import { refuseAsync } from '../gpu/synchronous.ts';
import { Tensor } from './tensor.ts';

/** Every tensor inside a returned value: arrays, maps and plain objects are searched. */
function tensorsIn(value: unknown, found: Set<Tensor>, seen = new Set<unknown>()): Set<Tensor> {
  if (value instanceof Tensor) found.add(value);
  else if (typeof value === 'object' && value !== null && !seen.has(value) && !ArrayBuffer.isView(value)) {
    seen.add(value);
    const plain = Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value);
    if (value instanceof Map) for (const v of value.values()) tensorsIn(v, found, seen);
    else if (plain) for (const v of Object.values(value)) tensorsIn(v, found, seen);
  }
  return found;
}

declare module '../gpu/engine.ts' {
  interface Engine {
    /**
     * Runs `fn` and frees every tensor made inside, except those in what it returns (searched through arrays, maps and
     * plain objects) and those given to {@link Engine.keep}. Scopes nest: what is returned belongs to the outer one.
     * @example const loss = engine.scope(() => crossEntropy(model.forward(x), y));
     * @throws ArgumentError when `fn` is asynchronous: read results after the scope instead.
     */
    scope<T>(fn: () => T): T;
    /** Takes a tensor out of its scope: it lives until it is disposed of. Returns it. */
    keep<T extends Tensor>(tensor: T): T;
  }
}

Engine.prototype.scope = function <T>(this: Engine, fn: () => T): T {
  const scope = new Set<Tensor>();
  const outer = this.scopes.at(-1) ?? null;
  this.scopes.push(scope);
  try {
    const result = fn();
    refuseAsync('scope', result);
    for (const tensor of tensorsIn(result, new Set())) if (scope.has(tensor)) tensor.moveTo(outer);
    return result;
  } finally {
    this.scopes.pop();
    for (const tensor of scope) tensor.dispose();
  }
};

Engine.prototype.keep = <T extends Tensor>(tensor: T): T => tensor.moveTo(null);
