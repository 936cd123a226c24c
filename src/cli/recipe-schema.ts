/** The JSON Schema of recipes, for editors: made by the build from the settings that runs and methods declare. */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { commonSettings, originSettings, settingsOf } from '../continual/benchmark/config.ts';
import type { AnyMethod } from '../continual/method.ts';
import { methods } from '../continual/methods/index.ts';
import type { Setting, Settings } from '../continual/setting.ts';
import { aboutSettings } from './recipes.ts';

/** What a value may be, what it means, and its default. */
export function schemaOf({ type, text, preset }: Setting): JsonSchema {
  // What only code can check, such as a network's depth, is left to the run.
  const { $schema: _, ...schema } = toJsonSchema(type, { errorMode: 'ignore' });
  return { ...schema, description: text, ...(preset === undefined ? {} : { default: preset as never }) };
}

const propertiesOf = (settings: Settings): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, schemaOf(setting)]));

/** All that files by this method may hold: its own settings, and those said above, which are only named. */
function branchOf(method: AnyMethod, usual: string): JsonSchema {
  const settings = Object.entries(settingsOf(method)).map(([key, setting]) => {
    const isCommon = (commonSettings as Settings)[key] === setting;
    return [key, isCommon ? true : schemaOf(setting)] as const;
  });
  const named = ['method', ...Object.keys(aboutSettings)].map((key) => [key, true] as const);
  return {
    if: { properties: { method: { const: method.name } }, ...(method.name === usual ? {} : { required: ['method'] }) },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so
    then: { properties: Object.fromEntries([...named, ...settings]), additionalProperties: false },
  };
}

/** For every built-in method its settings; of one's own, in a file, all that runs have. */
export function recipeSchema(): JsonSchema {
  const all = Object.values(methods);
  const usual = 'fdkd';
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A recipe of Engram: settings of `engram train`',
    type: 'object',
    properties: {
      method: {
        description: 'how old tasks are kept: a built-in method, or the file of one of your own, by its path from here',
        default: usual,
        anyOf: [
          ...all.map(({ name, summary }) => ({ const: name, description: summary })),
          { type: 'string' as const, pattern: '[\\\\/]|\\.([cm]?js|m?ts)$' },
        ],
      },
      ...propertiesOf({ ...aboutSettings, ...commonSettings, ...originSettings }),
    },
    allOf: all.map((method) => branchOf(method, usual)),
  };
}
