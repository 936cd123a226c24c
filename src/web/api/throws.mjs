/** What a function throws as one list, each error with its name: TypeDoc would leave the names out, and repeat the heading. */
import { CommentTag, Converter, ReflectionKind } from 'typedoc';

/** The module that exports every error of the library. */
const ERRORS = 'engram';

/**
 * `{ShapeError | DataError}` with links.
 * @param {string | undefined} annotation
 * @param {ReadonlySet<string>} known names that `engram` exports.
 * @returns {import('typedoc').CommentDisplayPart[]}
 */
const namesOf = (annotation = '', known) =>
  (annotation.match(/\w+/g) ?? []).flatMap((name, i) => [
    { kind: 'text', text: i === 0 ? '' : ' or ' },
    known.has(name)
      ? { kind: 'inline-tag', tag: '@link', text: `${ERRORS}!${name} | ${name}` }
      : { kind: 'code', text: `\`${name}\`` },
  ]);

/** @param {import('typedoc').Comment} comment @param {ReadonlySet<string>} known */
function join(comment, known) {
  const thrown = comment.blockTags.filter(({ tag }) => tag === '@throws');
  const [first] = thrown;
  if (!first) return;
  const items = thrown.flatMap(({ typeAnnotation, content }) => [
    { kind: /** @type {const} */ ('text'), text: '\n- ' },
    ...namesOf(typeAnnotation, known),
    { kind: /** @type {const} */ ('text'), text: ' ' },
    // A line that begins at the margin would end the item.
    ...content.map((part) => ({ ...part, text: part.text.replaceAll('\n', '\n  ') })),
  ]);
  const at = comment.blockTags.indexOf(first);
  comment.blockTags = comment.blockTags.filter((tag) => tag === first || !thrown.includes(tag));
  comment.blockTags[at] = new CommentTag('@throws', items);
}

/** @param {import('typedoc').Application} app whose option `preservedTypeAnnotationTags` has `@throws`. */
export function listThrows(app) {
  const all = (/** @type {import('typedoc').Context} */ { project }) => {
    const errors = project.getChildrenByKind(ReflectionKind.Module).find(({ name }) => name === ERRORS);
    const known = new Set(errors?.children?.map(({ name }) => name));
    for (const one of Object.values(project.reflections)) if (one.comment) join(one.comment, known);
  };
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, all, -1000);
}
