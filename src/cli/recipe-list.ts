/** `engram recipes`: what `--config` takes by name. */
import { list } from './list.ts';
import { publishedRecipes, schemaText } from './recipes.ts';

export interface RecipesOptions {
  json?: boolean;
  /** Prints the JSON Schema instead. */
  schema?: boolean;
}

export async function recipes({ json, schema }: RecipesOptions, columns: number): Promise<void> {
  if (schema) {
    process.stdout.write(await schemaText());
    return;
  }
  const all = await publishedRecipes();
  if (json) {
    for (const recipe of all) console.log(JSON.stringify(recipe));
    return;
  }
  const longest = Math.max(...all.map(({ name }) => name.length));
  const entries = all.map(({ name, method, description }) => ({
    name: `${name.padEnd(longest)}  ${method}`,
    texts: [description],
  }));
  console.log(list(entries, columns));
}
