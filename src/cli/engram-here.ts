/**
 * A hook of Node's module loader, for method files: wherever such a file lies, `engram` and `engram/…` are the package whose
 * command line runs, also where the file has another copy of it nearby. Tensors, tape and classes of two copies do not mix.
 */
interface Context {
  readonly parentURL?: string | undefined;
}
interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean | undefined;
}

export function resolve<C extends Context, R>(
  specifier: string,
  context: C,
  next: (specifier: string, context: C) => R,
): R | Resolved {
  // A package finds itself by its name.
  if (/^engram($|\/)/.test(specifier)) return next(specifier, { ...context, parentURL: import.meta.url });
  // The method file itself is an ES module whatever the package.json around it says, or none does.
  if (context.parentURL?.startsWith(HERE) && /^file:.*\.js$/.test(specifier) && !specifier.startsWith(HERE))
    return { url: specifier, format: 'module', shortCircuit: true };
  return next(specifier, context);
}

/** The folder of the command line's own modules. */
const HERE = new URL('.', import.meta.url).href;
