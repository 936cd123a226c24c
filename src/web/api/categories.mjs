/** Sorts what a module exports by the concept it belongs to, which the sources' folders know: kinds alone would tell nobody where to look. */
import { relative, sep } from 'node:path';
import { CommentTag, Converter, ReflectionKind } from 'typedoc';

/** Titles, in order, and what of the sources belongs there; of several places that fit the longest counts. */
const PLACES = {
  'Engine and tensors': ['tensor'],
  Autograd: ['autograd', 'ops/recorded-gradients'],
  Operations: ['ops'],
  'Layers and networks': ['nn'],
  Optimizers: ['optim'],
  Data: ['data'],
  'Dense distillation': ['distill'],
  'Inside another app': ['tensor/embedding', 'gpu/embedding', 'gpu/adapter/device-descriptor'],
  'Kernels of your own': ['gpu', 'ops/elementwise/elementwise-op'],
  'Memory and time': ['gpu/profiler', 'gpu/recording', 'gpu/tuning', 'ops/tune', 'gpu/runtime'],
  Errors: ['errors'],
  Learner: ['continual'],
  'Making a method': [
    'continual/method',
    'continual/model',
    'continual/distillation',
    'continual/alignment',
    'continual/balanced',
  ],
  'Settings of a method': ['continual/setting'],
  Methods: ['continual/methods'],
  'Losses and rules': ['continual/rules', 'continual/selection', 'distill/decoupled-kd'],
  'Streams and runs': ['continual/benchmark'],
  Metrics: ['continual/benchmark/metrics'],
};

/** The group of the tensor methods that the table of elementwise operations makes. */
export const ELEMENTWISE = 'Elementwise methods';

export const CATEGORIES = Object.keys(PLACES);

const known = Object.entries(PLACES)
  .flatMap(([title, places]) => places.map((place) => ({ title, place })))
  .sort((a, b) => b.place.length - a.place.length);

/** @param {string} path of a source, such as `ops/conv2d/conv2d.ts`. */
const titleOf = (path) => known.find(({ place }) => path === `${place}.ts` || path.startsWith(`${place}/`))?.title;

/**
 * Adds `@category` to the comments of all exports, and `@group` to those of the elementwise methods.
 * @param {import('typedoc').Application} app
 * @param {string} sources their folder.
 */
export function categorize(app, sources) {
  const pathOf = (
    /** @type {import('typedoc').Context} */ context,
    /** @type {import('typedoc').Reflection} */ one,
  ) => {
    const file = context.getSymbolFromReflection(one)?.declarations?.[0]?.getSourceFile().fileName;
    return file && relative(sources, file).split(sep).join('/');
  };
  const add = (/** @type {import('typedoc').Context} */ context) => {
    for (const module of context.project.getChildrenByKind(ReflectionKind.Module)) {
      for (const one of module.children ?? []) {
        const path = pathOf(context, one);
        tag(one, '@category', path && titleOf(path));
        if (!one.kindOf(ReflectionKind.Class)) continue;
        for (const member of one.children ?? []) {
          const isMade = pathOf(context, member) === 'ops/elementwise/table.ts';
          tag(member, '@group', isMade ? ELEMENTWISE : undefined);
        }
      }
    }
  };
  // After TypeDoc has put comments where they belong, and before it groups.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, add, -1000);
}

/**
 * @param {import('typedoc').DeclarationReflection} one
 * @param {`@${string}`} name
 * @param {string | undefined} text
 */
function tag(one, name, text) {
  const comment = one.comment ?? one.signatures?.[0]?.comment;
  if (text && comment) comment.blockTags.push(new CommentTag(name, [{ kind: 'text', text }]));
}
