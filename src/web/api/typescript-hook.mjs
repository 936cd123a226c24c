/** Lets TypeDoc have a TypeScript with an interface for JavaScript. */

/** @type {import('node:module').ResolveHook} */
export const resolve = (name, context, next) =>
  name === 'typescript' ? next('typescript-5.9', { ...context, parentURL: import.meta.url }) : next(name, context);
