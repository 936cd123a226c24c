/** Second names of tensors that several paths lead to: PyTorch's state dicts have them all. */
import type { AnyModule } from './module.ts';

/** Every name that {@link Module.namedTensors} leaves out, with the one it lists the same tensor by. */
export function otherNames(root: AnyModule): Map<string, string> {
  const listed = new Map([...root.namedTensors()].map(({ name, tensor }) => [tensor, name]));
  const paths = new Map([...root.namedModules()].map(([path, module]) => [module, path && `${path}.`]));
  const others = new Map<string, string>();
  const note = (name: string, first: string | undefined): void => {
    if (first !== undefined && first !== name) others.set(name, first);
  };
  for (const [module, path] of paths) {
    for (const { name, tensor } of module.ownTensors()) note(path + name, listed.get(tensor));
    for (const [childName, child] of module.children()) {
      const again = `${path}${childName}.`;
      if (paths.get(child) === again) continue;
      for (const { name, tensor } of child.namedTensors(again)) note(name, listed.get(tensor));
    }
  }
  return others;
}
