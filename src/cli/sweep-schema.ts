/** The JSON Schema of sweeps, for editors: made by the build from what sweeps, runs and methods declare. */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { commonSettings } from '../continual/benchmark/config.ts';
import { methods } from '../continual/methods/index.ts';
import type { Setting, Settings } from '../continual/setting.ts';
import { rangeSchema, sweepSchema } from '../sweep/sweep-file.ts';
import { schemaOf } from './recipe-schema.ts';

const oneOf = (schemas: readonly JsonSchema[]): JsonSchema =>
  schemas.length === 1 && schemas[0] ? schemas[0] : { anyOf: [...schemas] };

/** Every setting of any method by its name: what each of those that have it takes it for. */
function settingSchemas(): Map<string, JsonSchema> {
  const found = new Map<string, Set<Setting>>();
  const all: Settings[] = [commonSettings, ...Object.values(methods).map((method) => method.settings)];
  for (const settings of all)
    for (const [key, setting] of Object.entries(settings)) found.set(key, (found.get(key) ?? new Set()).add(setting));
  return new Map(
    [...found].map(([key, settings]) => {
      // Those that methods share are one; defaults are left to the methods, which differ in them.
      const unlike = new Map(
        [...settings].map((setting) => {
          const { default: _, ...schema } = schemaOf(setting);
          return [JSON.stringify(schema), schema] as const;
        }),
      );
      return [key, oneOf([...unlike.values()])];
    }),
  );
}

/** A list of values, or a range to draw from. */
function parameterSchema(setting: JsonSchema, range: JsonSchema): JsonSchema {
  const values: JsonSchema = { type: 'array', items: setting, minItems: 1 };
  return {
    anyOf: [
      values,
      { type: 'object', properties: { values }, required: ['values'], additionalProperties: false },
      { type: 'object', properties: { value: setting }, required: ['value'], additionalProperties: false },
      range,
    ],
  };
}

/** What `engram sweep` takes. Settings of a method in a file of its own are left to the run. */
export function sweepFileSchema(): JsonSchema {
  // What only code can check, such as a number's being finite, is left to the run.
  const settled = { errorMode: 'ignore', typeMode: 'input' } as const;
  const schema = toJsonSchema(sweepSchema, settled);
  const { $schema: _, ...range } = toJsonSchema(rangeSchema, settled);
  const properties = schema.properties as Record<string, JsonSchema>;
  const method: JsonSchema = {
    type: 'string',
    description: 'a built-in method, or the file of one of your own, by its path from here',
  };
  const known = new Map([...settingSchemas(), ['method', method] as const]);
  // Each is said once: a file has them in four places.
  const setting = (key: string): JsonSchema => ({ $ref: `#/definitions/${key}` });
  const each = (of: (key: string) => JsonSchema) => Object.fromEntries([...known.keys()].map((key) => [key, of(key)]));
  const settings = each(setting);
  const name: JsonSchema = { type: 'string', maxLength: 80, description: 'how tables call it' };
  const set = (more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema => ({
    type: 'object',
    properties: { ...settings, ...more },
  });
  return {
    ...schema,
    definitions: Object.fromEntries(known),
    title: 'A sweep of Engram: runs of `engram sweep`',
    properties: {
      ...properties,
      settings: { ...properties.settings, ...set() },
      configurations: { ...properties.configurations, items: set({ name }) },
      parameters: { ...properties.parameters, properties: each((key) => parameterSchema(setting(key), range)) },
      baseline: { ...properties.baseline, ...set({ name }) },
    },
  };
}
