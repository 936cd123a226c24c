/** The published recipes: settings of runs as JSON files beside the command line, which `--config` takes by name. */
import { fileURLToPath } from 'node:url';
import { closest } from 'fastest-levenshtein';
import * as v from 'valibot';
import { files } from '#files';
import { setting } from '../continual/setting.ts';
import { joinPath } from '../data/files.ts';
import { ConfigError } from '../errors.ts';

/** What describes them to editors, in the same folder. */
export const SCHEMA = 'recipe.schema.json';

/** Where the package has them. */
const PUBLISHED = fileURLToPath(new URL('recipes', import.meta.url));

/** What a file of settings says of itself. */
export const aboutSettings = {
  $schema: setting(v.string(), undefined, 'the JSON Schema that editors complete the file by'),
  description: setting(v.string(), undefined, 'what the recipe is for, and where it is from'),
};

export interface PublishedRecipe {
  readonly name: string;
  /** The name of a built-in method. */
  readonly method: string;
  /** One sentence: where it is from, and what differs from there. */
  readonly description: string;
  readonly path: string;
}

/** @throws {DataError} when the folder is missing. */
export async function recipeNames(folder = PUBLISHED): Promise<string[]> {
  const found = await files.list(folder);
  return found
    .filter((name) => name.endsWith('.json') && name !== SCHEMA)
    .map((name) => name.slice(0, -'.json'.length));
}

/** The JSON Schema, as a text. @throws {DataError} when it is missing. */
export const schemaText = (folder = PUBLISHED): Promise<string> => files.readText(joinPath(folder, SCHEMA));

/** All of them, by name. @throws {DataError} when the folder is missing. */
export async function publishedRecipes(folder = PUBLISHED): Promise<PublishedRecipe[]> {
  const names = await recipeNames(folder);
  return Promise.all(
    names.map(async (name) => {
      const path = joinPath(folder, `${name}.json`);
      const { method, description } = JSON.parse(await files.readText(path));
      return { name, method, description, path };
    }),
  );
}

/**
 * Where `--config` points to: a file that is there, or a published recipe, with or without `recipes/` before its name and
 * `.json` behind it.
 * @throws {ConfigError} when it is neither.
 */
export async function configPath(given: string, folder = PUBLISHED): Promise<string> {
  if (await files.exists(given)) return given;
  const names = await recipeNames(folder);
  const name = /^(?:\.[\\/])?(?:recipes[\\/])?([^\\/]+?)(?:\.json)?$/.exec(given)?.[1];
  if (name !== undefined && names.includes(name)) return joinPath(folder, `${name}.json`);
  throw new ConfigError({
    where: given,
    message: 'this is neither a file nor a published recipe.',
    fix: `${name === undefined ? 'Check the path.' : `Did you mean ${closest(name, names)}?`} \`engram recipes\` lists those that are published.`,
  });
}
