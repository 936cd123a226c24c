/** The JSON Schemas that the package publishes, by their paths in it; the build writes them. */
import type { JsonSchema } from '@valibot/to-json-schema';
import { recipeSchema } from './recipe-schema.ts';
import { sweepFileSchema } from './sweep-schema.ts';

export const jsonSchemas = (): Readonly<Record<string, JsonSchema>> => ({
  'recipes/recipe.schema.json': recipeSchema(),
  'sweep.schema.json': sweepFileSchema(),
});
