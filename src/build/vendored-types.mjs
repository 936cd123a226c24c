/** Of a vendored package's declarations those that ours name, and what these name in turn. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A statement begins at the margin and goes on to the next one that does. */
const STATEMENT = /^(?=(?:export |declare |interface |type )[^\n]*)/m;
const TYPE = /^(?:export )?(?:declare )?(?:const |interface |type |class )(\w+)/;
const FUNCTION = /^(?:export )?(?:declare )?function (\w+)/;

/**
 * @param {string} name a package whose declarations are one file, exports last, as rollup and its kin write it
 * @param {ReadonlySet<string>} wanted names of its types
 * @returns {Promise<string>}
 * @throws {Error} when one of them is not in that file.
 */
export async function vendoredTypes(name, wanted) {
  const main = fileURLToPath(import.meta.resolve(name));
  const text = await readFile(main.replace(/\.mjs$/, '.d.mts'), 'utf8');
  /** Statements by what they declare; functions, which only `typeof` names in types, as `typeof f`. @type {Map<string, string[]>} */
  const statements = new Map();
  for (const part of text.replace(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '').split(STATEMENT)) {
    const [, type] = TYPE.exec(part) ?? [];
    const [, called] = FUNCTION.exec(part) ?? [];
    const declared = type ?? (called && `typeof ${called}`);
    if (!declared) continue;
    statements.set(declared, [...(statements.get(declared) ?? []), part.replace(/\n\s*\n/g, '\n').trimEnd()]);
  }
  const needed = new Set(wanted);
  for (const one of needed) {
    const declared = statements.get(one)?.join('\n');
    if (declared === undefined) throw new Error(`${name} declares no ${one}`);
    for (const [word] of declared.matchAll(/\btypeof \w+|\b\w+\b/g)) {
      if (statements.has(word)) needed.add(word);
      const constant = word.replace(/^typeof /, '');
      if (constant !== word && statements.has(constant)) needed.add(constant);
    }
  }
  const kept = [...statements].filter(([declared]) => needed.has(declared)).flatMap(([, parts]) => parts);
  return `${kept.join('\n')}\nexport type { ${[...wanted].sort().join(', ')} };\n`;
}
