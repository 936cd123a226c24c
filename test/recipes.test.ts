/** The published recipes, their JSON Schema, and the commands that list them and the methods. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { typedSettings } from '../src/cli/assignments.ts';
import { recipeSchema } from '../src/cli/recipe-schema.ts';
import { configPath, publishedRecipes, SCHEMA } from '../src/cli/recipes.ts';
import { mergeSettings, readConfigFile } from '../src/cli/settings.ts';
import { Benchmark } from '../src/continual/benchmark/benchmark.ts';
import { parseConfig } from '../src/continual/benchmark/config.ts';
import { Scenario } from '../src/continual/benchmark/scenario.ts';
import { noticesOf } from '../src/continual/method-checks.ts';
import { METHOD_NAMES, type MethodName, methods } from '../src/continual/methods/index.ts';
import { epochsOf } from '../src/continual/recipe.ts';
import { checkTraining } from '../src/continual/training-checks.ts';
import { bundledNames, loadDataset } from '../src/data/load-dataset.ts';
import { ConfigError } from '../src/errors.ts';
import { engram, refusedIn } from './support/command.ts';
import { engine } from './support/engine.ts';
import { refusal } from './support/refusal.ts';

const FOLDER = 'dist/recipes';
const home = mkdtempSync(join(tmpdir(), 'engram-recipes-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (...parts: string[]): string => join(home, ...parts);

const isMethod = (name: string): name is MethodName => (METHOD_NAMES as readonly string[]).includes(name);
const all = await publishedRecipes(FOLDER);
const recipes = all.filter(({ method }) => isMethod(method));
const validate = new Ajv({ allErrors: true }).compile(recipeSchema() as object);

test('every recipe fits its method and what it is to learn, and says in a sentence what it is', async () => {
  assert.ok(recipes.length >= 8, `${recipes.length} recipes`);
  for (const { name, method, description, path } of recipes) {
    assert.ok(name.startsWith(`${method}-`), name);
    assert.match(description, /^\w.*[^.]\.$/, name);
    const config = parseConfig(await readConfigFile(path), path);
    assert.is(config.method, method, name);
    const { tasks, newSizes } = new Scenario({ ...config, classes: config.data === 'fashion-mini' ? 10 : 100 });
    checkTraining(
      config,
      tasks.map((_, task) => epochsOf(config, task)),
    );
    assert.ok(newSizes.length > 1, name);
    if (bundledNames.includes(config.data)) new Benchmark(engine, await loadDataset(config.data), config).dispose();
    assert.equal(noticesOf(methods[method as MethodName], config, { taskSizes: newSizes, training: config }), [], name);
  }
});

test('every recipe is what editors are told it may be, by the schema that it names', () => {
  for (const { name, path } of recipes) {
    const recipe = JSON.parse(readFileSync(path, 'utf8'));
    const fits: boolean = validate(recipe);
    assert.ok(fits, `${name}: ${JSON.stringify(validate.errors)}`);
    const named = resolve(FOLDER, recipe.$schema);
    assert.equal(JSON.parse(readFileSync(named, 'utf8')), JSON.parse(JSON.stringify(recipeSchema())), name);
  }
  for (const name of readdirSync('src/recipes').filter((one) => one.endsWith('.json'))) {
    const [source, built] = ['src/recipes', FOLDER].map((folder) => readFileSync(join(folder, name), 'utf8'));
    assert.is(built, source);
    assert.ok(existsSync(resolve('src/recipes', JSON.parse(source as string).$schema)), 'in a clone too');
  }
});

/** What neither the schema nor the run takes, and what the run says of it. */
const mistakes: [string, object, RegExp][] = [
  ['an unknown key', { method: 'kd', memry: 100 }, /unknown setting "memry"\. Did you mean memory\?/],
  ['a text for a number', { method: 'kd', memory: '1000' }, /"memory" does not fit: expected a whole number .*"1000"/],
  ['a number out of range', { method: 'kd', flip: 2 }, /"flip" does not fit: expected a number from 0 to 1/],
  ['a fraction', { method: 'kd', epochs: 1.5 }, /"epochs" does not fit: expected a whole number/],
  [
    'a name that is none',
    { method: 'kd', schedule: 'linear' },
    /"schedule" does not fit: expected one of cosine, step/,
  ],
  ['a list for a switch', { method: 'kd', align: [] }, /"align" does not fit: expected true or false/],
  ['one number for two', { method: 'kd', scale: [1] }, /"scale" does not fit: expected two finite numbers/],
  ['a setting of another method', { method: 'icarl', proxies: 3 }, /"icarl" has no setting "proxies".*one of podnet/],
  ['a method that is none', { method: 'icrl' }, /"icrl" is not a built-in method/],
  ['a method that is no text', { method: 7 }, /7 is not a built-in method/],
  ['a description that is no text', { method: 'kd', description: 7 }, /"description" does not fit: expected a text/],
];

for (const [title, settings, told] of mistakes) {
  test(`${title}: refused by the schema and before the run`, async () => {
    assert.not.ok(validate(settings), JSON.stringify(settings));
    const path = at('wrong.json');
    writeFileSync(path, JSON.stringify(settings));
    const error = await refusal(readConfigFile(path));
    assert.instance(error, ConfigError);
    assert.match(error.message, told);
    assert.not.ok(error.message.includes('\n'));
  });
}

test('the schema completes: every setting has its meaning, and its default where it has one', () => {
  const { properties = {} } = recipeSchema();
  for (const [key, property] of Object.entries(properties)) {
    assert.ok(typeof property === 'object' && (property.description ?? '').length > 5, key);
  }
  const { epochs, baseLr, temperature } = properties as Record<string, Record<string, unknown>>;
  assert.equal([epochs?.default, epochs?.minimum, epochs?.type], [15, 1, 'integer']);
  assert.not.ok('default' in (baseLr as object), 'what is left open has none');
  assert.is(temperature, undefined, 'what some methods have is told of them');
  assert.ok(validate({ temperature: 3 }), 'the usual method is fdkd');
  assert.not.ok(validate({ proxies: 3 }));
  assert.ok(validate({ method: './mine.js', proxies: 'whatever it means by them' }));
});

test('a recipe is found from anywhere, by its name or as in the clone; a file goes before it', async () => {
  const path = `${FOLDER}/fdkd-glyphs.json`;
  for (const given of ['fdkd-glyphs', 'fdkd-glyphs.json', 'recipes/fdkd-glyphs', './recipes/fdkd-glyphs.json'])
    assert.is(await configPath(given, FOLDER), path);
  writeFileSync(at('fdkd-glyphs.json'), '{}');
  assert.is(await configPath(at('fdkd-glyphs.json'), FOLDER), at('fdkd-glyphs.json'));
  for (const [given, told] of [
    ['recipes/fdkd-glyph.json', /^recipes\/fdkd-glyph\.json: .* Did you mean fdkd-glyphs\? `engram recipes` lists/],
    ['recipe', /Did you mean /],
    [SCHEMA, /neither a file nor a published recipe/],
    [at('nowhere', 'fdkd-glyphs.json'), /neither a file nor a published recipe\. Check the path\./],
  ] as const) {
    const error = await refusal(configPath(given, FOLDER));
    assert.instance(error, ConfigError);
    assert.match(error.message, told);
  }
});

test('a recipe runs, with settings in place of its own, and is written down whole', async () => {
  const small = 'trainPerClass=2 test-per-class=1 tasks=1 classOrder=4,2 epochs=1 width=2 align=false'.split(' ');
  const set = small.flatMap((one) => ['--set', one]);
  const run = ['train', '--config', 'recipes/fdkd-glyphs.json', ...set, '--batch', '8', '--out', at('run')];
  const { code, errors } = await engram(...run);
  assert.is(code, 0, errors);
  const config = JSON.parse(readFileSync(at('run', 'config.json'), 'utf8'));
  const { method, data, lr, batch, align, classOrder, testPerClass, kdWeight } = config;
  assert.equal([method, data, lr, batch, align, kdWeight], ['fdkd', 'glyphs', 0.05, 8, false, 1]);
  assert.equal([classOrder, testPerClass], [[4, 2], 1]);
  assert.not.ok('$schema' in config || 'description' in config, 'what the recipe says of itself is none of the run’s');
  const resumed = ['train', '--resume', '--out', at('run'), '--set', 'lr=0.1'];
  await refusedIn(home, resumed, /^--set lr: the run in .* was begun with 0\.05, not with 0\.1/);
});

test('what is set is read as flags are, in either spelling, and told by its own place', () => {
  const typed = (set: string[], flags = {}) => typedSettings(flags, set);
  const { settings, whereOf } = typed(['kd-weight=2', 'milestones=1,2', 'align=false', 'data=a=b'], {
    nesterov: false,
  });
  assert.equal(settings, { nesterov: false, kdWeight: 2, milestones: [1, 2], align: false, data: 'a=b' });
  assert.equal(['align', 'nesterov', 'lr'].map(whereOf), ['--set align', '--no-nesterov', '--lr']);
  for (const [set, told, flags] of [
    [['memory'], /^--set memory: it sets nothing\. It looks like --set memory=1000\.$/],
    [['=5'], /^--set =5: it sets nothing/],
    [[''], /^--set : it sets nothing/],
    [['memry=5'], /^--set memry=5: there is no setting "memry"\. Did you mean memory\?/],
    [['memory=many'], /^--set memory: "many" does not fit: expected a whole number of at least 0/],
    [['memory='], /^--set memory: "" does not fit/],
    [['align=yes'], /^--set align: "yes" does not fit: expected true or false/],
    [['method=kd'], /^--set method=kd: a method is no setting\. Choose it by --method/],
    [['lr=1'], /^--set lr=1: --lr says it too\. Leave one of the two out\.$/, { lr: 2 }],
    [['lr=1', 'lr=2'], /^--set lr=2: another --set says it too\./],
    [
      ['memory=9'],
      /^--memory-per-class: the memory's size is given by --set memory already\. Leave one of the two out\.$/,
      { memoryPerClass: 2 },
    ],
    [['memory=9', 'memoryBytes=99'], /^--set memoryBytes: the memory's size is given by --set memory already/],
  ] as [string[], RegExp, object?][]) {
    assert.throws(
      () => typed(set, flags),
      (error: unknown) => error instanceof ConfigError && told.test(error.message),
    );
  }
});

test('what is typed takes the place of what says the same in another way', () => {
  const file = { method: 'podnet', baseClasses: 50, increment: 10, memoryPerClass: 20 };
  const merged = (...set: string[]) => mergeSettings(typedSettings({}, set), file);
  assert.equal(merged('memory=1000'), { method: 'podnet', baseClasses: 50, increment: 10, memory: 1000 });
  assert.equal(merged('tasks=3', 'seed=1'), {
    method: 'podnet',
    baseClasses: 50,
    memoryPerClass: 20,
    tasks: 3,
    seed: 1,
  });
  const none = { memory: 1000, memoryPerClass: 0 };
  assert.equal(merged('memory=1000', 'memoryPerClass=0'), { ...file, ...none });
});

test('what is set by mistake ends the command in one paragraph, and nothing is made', async () => {
  const recipe = ['train', '--config', 'fdkd-glyphs', '--out', at('no')];
  const refused = (args: string[], told: RegExp) => refusedIn(home, [...recipe, ...args], told);
  await refused(['--set'], /--set <key=value>' argument missing/);
  await refused(['--set', 'memory'], /^--set memory: it sets nothing\. It looks like --set memory=1000\.$/m);
  await refused(['--set', 'proxies=3'], /^--set proxies: the method "fdkd" has no such setting\. .*: podnet/);
  await refusedIn(home, ['train', '--config', 'fdkd-glyhps'], /Did you mean fdkd-glyphs\?/);
  const nowhere = ['--set', 'data=cifar-100-binary'];
  await refused(
    nowhere,
    /^cifar-100-binary: .* Say where it lies by --data FOLDER; bundled are fashion-mini and glyphs/,
  );
});

test('a file that names its method holds no setting of others, unless the method is chosen before it', async () => {
  const file = at('stray.json');
  writeFileSync(file, JSON.stringify({ method: 'kd', memory: 10, groups: 2 }));
  const args = ['train', '--config', file, '--out', at('no')];
  await refusedIn(home, args, /stray\.json: the method "kd" has no setting "groups"\. .* one of .*rdkd/);
  await refusedIn(home, [...args, '--method', 'kd'], /stray\.json: the method "kd" has no setting "groups"/);
  assert.equal(await readConfigFile(file, 'rdkd'), { method: 'kd', memory: 10, groups: 2 });
  assert.equal(await readConfigFile(file, 'replay'), { method: 'kd', memory: 10, groups: 2 });
});

test('methods and recipes are listed, for people and for scripts', async () => {
  const lines = async (...args: string[]) => {
    const { code, out, errors } = await engram(...args);
    assert.is(code, 0, errors);
    for (const line of args.some((one) => ['--json', '--schema'].includes(one)) ? [] : out.split('\n'))
      assert.ok(line.length <= 80, line);
    return out.trimEnd().split('\n');
  };
  const listed = (await lines('methods')).join('\n');
  for (const { name, verified } of Object.values(methods))
    assert.match(listed, new RegExp(`^  ${verified === undefined ? ' ' : '✓'} ${name} `, 'm'));
  assert.match(
    listed.replace(/\s+/g, ' '),
    /✓ kd replay \+ .* verified: PyTorch, average within [\d.]+ and last within [\d.]+ points/,
  );
  const parsed = (await lines('methods', '--json')).map((line) => JSON.parse(line));
  assert.equal(
    parsed.map(({ name }) => name),
    METHOD_NAMES,
  );
  assert.equal(
    (await lines('recipes', '--json')).map((line) => JSON.parse(line)),
    all.map((recipe) => ({ ...recipe, path: resolve(recipe.path) })),
  );
  const table = await lines('recipes');
  for (const { name, method } of all)
    assert.ok(
      table.some((line) => line.trim().split(/\s+/).slice(0, 2).join() === `${name},${method}`),
      name,
    );
  assert.equal(JSON.parse((await lines('recipes', '--schema')).join('')), JSON.parse(JSON.stringify(recipeSchema())));
  const help = (await lines('train', '--help')).join('\n');
  assert.match(help, /^ {2}✓ kd /m);
  assert.match(help.replace(/\s+/g, ' '), /✓ its accuracies were compared with .*`engram methods` says how near/);
});

test.run();
