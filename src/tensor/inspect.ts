/** Node's `console.log` of an object tells its fields, an engine's insides among them: these tell what they are instead. */
export function letInspectTell({ prototype }: { readonly prototype: object }): void {
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: object): string {
      return String(this);
    },
    configurable: true,
    writable: true,
  });
}
