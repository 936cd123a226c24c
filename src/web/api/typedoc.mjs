/**
 * The API reference: static pages made from the doc comments of what the package's entries export, and the check that nothing
 * exported lacks one. `node src/web/api/typedoc.mjs [FOLDER]` makes the pages, `--check` checks.
 */
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// TypeDoc asks for `typescript`, whose version 7 has no interface for JavaScript any more: it gets the one before.
register('./typescript-hook.mjs', import.meta.url);
const { Application, ConsoleLogger, LogLevel } = await import('typedoc');
const { CATEGORIES, categorize, ELEMENTWISE } = await import('./categories.mjs');
const { nameParameters } = await import('./parameter-names.mjs');
const { commentSettings } = await import('./setting-comments.mjs');
const { listThrows } = await import('./throws.mjs');

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The sources of the package's entries, from its `exports`; each names its module itself, by `@module`. */
async function entryPoints() {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return Object.values(exports).flatMap(({ default: path }) =>
    path ? [join(root, path.replace('dist/lib', 'src').replace(/\.js$/, '.ts'))] : [],
  );
}

/** valibot's types name each declaration of a schema twice, which TypeDoc takes for two comments of one symbol. */
class Logger extends ConsoleLogger {
  /** @override */
  log(/** @type {string} */ message, /** @type {import('typedoc').LogLevel} */ level) {
    if (!message.includes('has multiple declarations with a comment')) super.log(message, level);
  }
}

async function converted() {
  const app = await Application.bootstrap({
    entryPoints: [...(await entryPoints()), join(here, 'named-types.ts')],
    tsconfig: join(here, 'tsconfig.json'),
    basePath: root,
    name: 'Engram',
    readme: join(here, 'landing.md'),
    includeVersion: true,
    // No host is known where the sources can be read.
    disableSources: true,
    preservedTypeAnnotationTags: ['@throws'],
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    hideGenerator: true,
    categorizeByGroup: false,
    navigation: { includeCategories: true, includeGroups: false, includeFolders: false },
    groupOrder: ['Constructors', 'Accessors', 'Methods', ELEMENTWISE, '*'],
    sortEntryPoints: false,
    categoryOrder: CATEGORIES,
    sort: ['source-order'],
    visibilityFilters: { inherited: true },
    // The models of single methods, which others know as an `IncrementalModel`; what `TunedPiece` has its properties from.
    intentionallyNotExported: ['CorrectedModel', 'CosineNet', 'ExpandableModel', 'FosteredModel', 'Piece'],
    logLevel: LogLevel.Warn,
    validation: { notDocumented: true, notExported: true, invalidLink: true, rewrittenLink: true },
    // What is exported, and what can be called on it. Members that hold a value are left out: a comment would repeat the names
    // of most (`height`, `stride`), and where a name does not say it, the comment is there.
    requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable', 'Enum', 'Method', 'Accessor'],
  });
  app.logger = new Logger();
  app.logger.level = LogLevel.Warn;
  categorize(app, join(root, 'src'));
  commentSettings(app);
  listThrows(app);
  nameParameters(app);
  const project = await app.convert();
  return { app, project };
}

/**
 * Writes the pages.
 * @param {string} outdir emptied first.
 * @throws {Error} when they cannot be made; what is wrong was printed.
 */
export async function buildApi(outdir) {
  const { app, project } = await converted();
  if (project) await app.generateDocs(project, outdir);
  if (!project || app.logger.hasErrors()) throw new Error('the API reference could not be made.');
}

/** Prints what is exported without a doc comment, and links that lead nowhere. @returns whether there is nothing of it. */
export async function checkApi() {
  const { app, project } = await converted();
  if (project) app.validate(project);
  return Boolean(project) && !app.logger.hasErrors() && !app.logger.hasWarnings();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [argument = join(root, '.build/site/api')] = process.argv.slice(2);
  if (argument !== '--check') {
    await buildApi(argument);
    console.log(`The API reference is in ${relative(process.cwd(), argument)}.`);
  } else if (await checkApi()) {
    console.log('Everything exported has a doc comment.');
  } else {
    process.exitCode = 1;
  }
}
