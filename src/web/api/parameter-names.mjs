/** Names for parameters that are taken apart where they are declared: TypeDoc calls them all `__namedParameters`. */
import { Converter, ReflectionKind } from 'typedoc';

/**
 * `options` for options and what has no name, `adapter` for a `GPUAdapter`, `tensor` for a `Tensor`.
 * @param {import('typedoc').SomeType | undefined} type
 * @returns {string}
 */
function nameOf(type) {
  if (type?.type !== 'reference') return 'options';
  if (type.name === 'Pick' || type.name === 'Omit') return nameOf(type.typeArguments?.[0]);
  if (type.name.endsWith('Options')) return 'options';
  const name = type.name.replace(/^GPU/, '');
  return `${name[0]?.toLowerCase()}${name.slice(1)}`;
}

/** @param {import('typedoc').Application} app */
export function nameParameters(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const one of project.getReflectionsByKind(ReflectionKind.Parameter)) {
      if (one.name !== '__namedParameters') continue;
      const { type } = /** @type {import('typedoc').ParameterReflection} */ (one);
      one.name = nameOf(type);
    }
  });
}
