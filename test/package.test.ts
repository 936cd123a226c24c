/** The package as a user has it: packed, installed into an empty project, type-checked, run in Node, bundled and run in a page. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openPage } from './support/browser.ts';
import { given } from './support/given.ts';

/** What an install may weigh without Dawn and the data sets. */
const MOST_BYTES = 3_700_000;
const PEER = 'node_modules/webgpu';
const SWIFTSHADER = 'node_modules/@sparticuz/chromium';
const VITE = 'node_modules/vite/bin/vite.js';
const COMPILERS = ['node_modules/typescript/bin/tsc', 'node_modules/typescript-5.9/bin/tsc'];

/** Takes a step of a tiny ResNet on bundled data; prints or returns its losses before and after. */
const STEP = `
import { capture, createResNet, crossEntropy, DataLoader, denseKD, Engine, SGD, type Tensor, unary } from 'engram';
import { loadDataset } from 'engram/data';
import { glyphs } from 'engram-data';

export async function losses(): Promise<number[]> {
  const { train } = await loadDataset(glyphs);
  const engine = await Engine.create();
  const model = createResNet(engine, 'resnet8', { classes: 100, width: 4, inChannels: 1, seed: 1 });
  const optimizer = new SGD(model, { lr: 0.05 });
  const pixels = Float32Array.from(train.images.subarray(0, 8 * 28 * 28), (value) => value / 255);
  const images: Tensor = engine.tensor(pixels, [8, 28, 28, 1]);
  const labels = engine.tensor(Int32Array.from(train.labels.subarray(0, 8)));
  const step = capture(engine, (x: Tensor, y: Tensor) => {
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const first = await step(images, labels).item();
  using zero = engine.zeros([1]);
  const second = (await step(images, labels).item()) + (await unary.abs(zero).item());
  await engine.destroy();
  return [first, second];
}

export const others = { DataLoader, denseKD };
`;

/** Uses every further entry, each with what the main one has; returns what must be true of each. */
const ENTRIES = `
import { crossEntropy, Engine, type ImageDataset, Linear, type Tensor } from 'engram';
import { linearCKA } from 'engram/analysis';
import { Benchmark, type Config, parseConfig } from 'engram/benchmark';
import {
  alignmentSettings, alignTask, ContinualLearner, defineMethod, distillation, distillationSettings, type LearnerEvent,
} from 'engram/continual';
import { bundledNames, type DatasetReader, type DataSource, loadDataset, type LoadDatasetOptions } from 'engram/data';
import { methods } from 'engram/methods';
import { type ExportOnnxOptions, exportOnnx } from 'engram/onnx';
import { type SubgroupMatrix, subgroupMatrix } from 'engram/subgroup-matrix';
import { gradcheck, type GradcheckReport, type Reference64 } from 'engram/testing';
import { glyphs } from 'engram-data';

const image: ImageDataset = {
  name: 'own', images: Uint8Array.of(1), labels: Uint8Array.of(0), height: 1, width: 1, channels: 1, classes: 1,
};
const own: DatasetReader = { format: 'own', read: async (_: DataSource) => ({ train: image, test: image }) };
const options: LoadDatasetOptions = { readers: [own] };
const graph: ExportOnnxOptions = { input: [2] };
const wanted: SubgroupMatrix = subgroupMatrix;
const config: Config = parseConfig({ data: 'glyphs', method: 'kd', tasks: 4 });
const mine = defineMethod({
  name: 'mine',
  summary: 'replay, distillation and alignment of parts that are there',
  settings: { ...distillationSettings, ...alignmentSettings },
  keeps: 'exemplars',
  async *learn(task) {
    const kd = await distillation(task, task.settings, { pool: 'dense' });
    yield {
      loss({ logits, targets, oldLogits }) {
        const loss = crossEntropy(logits, targets);
        return kd && oldLogits ? loss.add(kd.loss(logits, oldLogits)) : loss;
      },
      state: kd?.state ?? {},
    };
    await alignTask(task, task.model.fc, task.settings);
  },
});

/** The class that a learner by a method of one's own takes a bright image for, after it has seen some, and dark ones. */
async function learnt(engine: Engine): Promise<string | undefined> {
  const learner = await ContinualLearner.create(engine, { method: mine, width: 4, epochs: 4, batch: 4, memory: 4, crop: 0 });
  const grey = (value: number) => ({ data: new Uint8Array(16 * 64).fill(value), count: 16, height: 8, width: 8, channels: 1 });
  const events: LearnerEvent[] = [];
  for await (const event of learner.learn({ dark: grey(10), bright: grey(245) })) events.push(event);
  const [best] = await learner.predict({ ...grey(245), count: 1, data: new Uint8Array(64).fill(245) });
  learner.dispose();
  return events.at(-1)?.type === 'task' ? best?.label : undefined;
}

export async function checks(): Promise<Record<string, boolean>> {
  const engine = await Engine.create({ subgroupMatrix: wanted, warn: () => {} });
  const exp: Reference64 = (x) => x.map(Math.exp);
  const report: GradcheckReport = await gradcheck((x: Tensor) => x.exp(), exp, [engine.tensor([0.5, -1])]);
  const rows = engine.tensor([1, 2, 3, 5, 8, 13], [3, 2]);
  const found = {
    analysis: Math.abs((await linearCKA(rows, rows).item()) - 1) < 1e-4,
    benchmark: new Benchmark(engine, await loadDataset(glyphs), config).scenario.tasks.length === 4,
    continual: (await learnt(engine)) === 'bright',
    methods: Object.keys(methods).includes('fdkd'),
    onnx: (await exportOnnx(new Linear(engine, 2, 1), graph)).length > 50,
  };
  await engine.destroy();
  return {
    ...found,
    data: (await loadDataset(glyphs, options)).train === image && bundledNames.includes('glyphs'),
    'subgroup-matrix': wanted.feature.includes('subgroup-matrix'),
    testing: report.value < 1e-5,
  };
}
`;

/** A method that refuses to learn on another engine's tensors. */
const MINE = `
import { crossEntropy, Tensor } from 'engram';
import { defineMethod } from 'engram/continual';

export default defineMethod({
  name: 'mine',
  summary: 'cross entropy on new data and exemplars',
  settings: {},
  keeps: 'exemplars',
  *learn() {
    yield {
      loss({ logits, targets }) {
        if (!(logits instanceof Tensor)) throw new Error('two engines');
        return crossEntropy(logits, targets);
      },
    };
  },
});
`;

/** All entries but the main one, by their names behind `engram`. */
const FURTHER = ['analysis', 'benchmark', 'continual', 'data', 'methods', 'onnx', 'subgroup-matrix', 'testing'];

const run = promisify(execFile);
const node = (cwd: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, args, { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, maxBuffer: 1 << 26 });

/** All that a program prints that ends badly. */
async function failure(ended: Promise<unknown>): Promise<string> {
  try {
    await ended;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return stdout + stderr;
  }
  throw new Error('it ended well');
}

const root = await mkdtemp(join(tmpdir(), 'engram-package-'));
const project = join(root, 'project');
test.after(() => rm(root, { recursive: true, force: true }));

/** Packs a folder as it stands, and returns the archive's path with its files. */
async function pack(folder: string): Promise<{ archive: string; files: string[] }> {
  const { stdout } = await run('npm', ['pack', folder, '--ignore-scripts', '--json', '--pack-destination', root]);
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>);
  if (!packed) throw new Error(`npm packed nothing: ${stdout}`);
  return { archive: join(root, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** Builds in a folder of its own: other tests are using `dist`. */
async function packEngram(): Promise<{ archive: string; files: string[] }> {
  const stage = join(root, 'stage');
  const own = (file: string) => import(new URL(`../../src/build/${file}`, import.meta.url).href);
  const { buildPackage } = (await own('package-build.mjs')) as { buildPackage(outdir: string): Promise<void> };
  const { buildTypes } = (await own('types.mjs')) as { buildTypes(outdir: string): Promise<void> };
  await mkdir(stage);
  await buildPackage(join(stage, 'dist'));
  await buildTypes(join(stage, 'dist'));
  for (const file of ['package.json', 'README.md', 'LICENSE']) await copyFile(file, join(stage, file));
  return pack(stage);
}

const engram = await packEngram();
const data = await pack(resolve('src/data/bundled'));

await mkdir(join(project, 'src'), { recursive: true });
await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n');
await writeFile(join(project, 'src/step.ts'), STEP);
await writeFile(join(project, 'src/entries.ts'), ENTRIES);
for (const entry of FURTHER) {
  await writeFile(join(project, `src/only-${entry}.ts`), `export * as only from 'engram/${entry}';\n`);
}
const NO_REGISTRY = /\b(ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/;
/** Of a registry or npm's cache; anything but their absence is a fault of the package. */
const isInstalled = await run(
  'npm',
  ['install', '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0', engram.archive, data.archive],
  { cwd: project },
).then(
  () => true,
  (error: Error & { stderr?: string }) => {
    if (NO_REGISTRY.test(error.stderr ?? '')) return false;
    throw error;
  },
);
const installed = given(isInstalled, "a package registry, or npm's cache");
const compilers = COMPILERS.filter((path) => existsSync(path)).map((path) => resolve(path));

test('these are the entries', async () => {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8')) as { exports: object };
  assert.equal(Object.keys(exports), ['.', ...FURTHER.map((entry) => `./${entry}`), './package.json']);
});

test('the archive holds the build and nothing of the clone', () => {
  const strange = engram.files.filter(
    (path) =>
      !/^(dist\/.*\.(js|d\.ts|txt)|dist\/recipes\/[\w.-]+\.json|dist\/sweep\.schema\.json|package\.json|README\.md|LICENSE)$/.test(
        path,
      ),
  );
  assert.equal(strange, []);
  assert.ok(engram.files.includes('dist/lib/index.d.ts') && engram.files.includes('dist/shaders/matmul/tiled.wgsl.js'));
  for (const path of ['recipes/fdkd-glyphs.json', 'recipes/recipe.schema.json', 'sweep.schema.json'])
    assert.ok(engram.files.includes(`dist/${path}`));
});

async function weight(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))));
  return sizes.reduce((sum, about) => sum + (about.isFile() ? about.size : 0), 0);
}

installed('an install is small, and has neither Dawn nor what only the command line needs', async () => {
  const modules = join(project, 'node_modules');
  const packages = (await readdir(modules)).filter((name) => !name.startsWith('.'));
  assert.equal(packages.sort(), ['@webgpu', 'engram', 'engram-data']);
  const bytes = (await weight(modules)) - (await weight(join(modules, 'engram-data')));
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

installed('without engram-data, the name of a bundled set says what to install', async () => {
  const there = join(project, 'node_modules/engram-data');
  const load = "import { loadDataset } from 'engram/data'; await loadDataset('glyphs');";
  await rename(there, `${there}-aside`);
  try {
    const printed = await failure(node(project, ['--input-type=module', '--eval', load]));
    assert.match(printed, /DataError: engram-data: .*Run `npm install engram-data`/);
  } finally {
    await rename(`${there}-aside`, there);
  }
});

async function typeCheck(compiler: string, flags: string, ...sources: string[]): Promise<void> {
  await node(project, [compiler, ...flags.split(' '), ...sources]).catch(({ stdout = '' }: { stdout?: string }) =>
    assert.unreachable(`${compiler} ${flags} ${sources.join(' ')}\n${stdout}`),
  );
}

installed('in Node, an image file says what decodes it', async () => {
  const decode =
    "import { toImageBytes } from 'engram'; await toImageBytes(null, new File(['x'], 'cup.png'), { where: 'learn' });";
  const printed = await failure(node(project, ['--input-type=module', '--eval', decode]));
  assert.match(printed, /DataError: learn \(cup\.png\): .*sharp, which is not installed\. Run `npm install sharp`/);
});

given(isInstalled && compilers.length === COMPILERS.length, 'a registry or both versions of TypeScript')(
  'its types pass under every resolution, with the libraries checked',
  async () => {
    for (const compiler of compilers) {
      for (const [module, resolution] of [
        ['node16', 'node16'],
        ['nodenext', 'nodenext'],
        ['esnext', 'bundler'],
      ]) {
        const flags = `--strict --skipLibCheck false --target es2022 --module ${module} --moduleResolution ${resolution} --outDir out`;
        await typeCheck(compiler, flags, 'src/step.ts', 'src/entries.ts');
      }
    }
  },
);

given(isInstalled && compilers.length === COMPILERS.length, 'a registry or both versions of TypeScript')(
  'the types of every further entry are whole without those of another',
  async () => {
    const flags = '--strict --skipLibCheck false --target es2022 --module nodenext --noEmit';
    for (const compiler of compilers) {
      for (const entry of FURTHER) await typeCheck(compiler, flags, `src/only-${entry}.ts`);
    }
  },
);

const PRINT = `
import { checks } from './out/entries.js';
import { losses } from './out/step.js';
console.log(JSON.stringify({ losses: await losses(), checks: await checks() }));
process.exit(0);
`;

function assertLearns(losses: number[] | undefined): void {
  const [first = Number.NaN, second = Number.NaN] = losses ?? [];
  assert.ok(second < first, `the loss falls: ${losses}`);
}

given(isInstalled && compilers.length > 0 && existsSync(PEER), 'a registry, TypeScript or Dawn')(
  'it learns in Node, once Dawn is installed; without, the error says how to install it',
  async () => {
    const [compiler = ''] = compilers;
    await node(project, [
      compiler,
      ...'--target es2022 --module nodenext --outDir out src/step.ts src/entries.ts'.split(' '),
    ]);
    await writeFile(join(project, 'print.js'), PRINT);
    assert.match(await failure(node(project, ['print.js'])), /AdapterError.* adapter: .*Run `npm install webgpu`\./);
    for (const path of [PEER, SWIFTSHADER].filter((path) => existsSync(path))) {
      await mkdir(dirname(join(project, path)), { recursive: true });
      await symlink(resolve(path), join(project, path));
    }
    const printed = JSON.parse((await node(project, ['print.js'])).stdout) as { losses: number[]; checks: object };
    assertLearns(printed.losses);
    assert.equal(printed.checks, Object.fromEntries(FURTHER.map((entry) => [entry, true])));
    const tiny = 'train --tasks 2 --epochs 1 --train-per-class 2 --test-per-class 1 --out run';
    const { stdout } = await node(project, ['node_modules/.bin/engram', ...tiny.split(' ')]);
    assert.match(stdout, /average incremental [\s\S]*\nreport .*report\.html/);
    // A method's file: its tensors are those of the installed command.
    await writeFile(join(project, 'mine.js'), MINE);
    const own = await node(project, ['node_modules/.bin/engram', ...`${tiny}-mine --method ./mine.js`.split(' ')]);
    assert.match(own.stdout, /average incremental [\s\S]*\nreport .*run-mine\/report\.html/);
  },
);

given(isInstalled && existsSync(VITE) && existsSync(SWIFTSHADER), 'a registry, Vite or a browser')(
  'Vite bundles it, and the bundle learns in a page from data that Vite has copied',
  async () => {
    await writeFile(join(project, 'index.html'), '<!doctype html><script type="module" src="/src/page.ts"></script>');
    const page = "import { losses } from './step.ts';\nObject.assign(globalThis, { losses });\n";
    await writeFile(join(project, 'src/page.ts'), page);
    await node(project, [resolve(VITE), 'build', '--outDir', 'site', '--logLevel', 'warn']);
    const assets = join(project, 'site/assets');
    const scripts = (await readdir(assets)).filter((name) => name.endsWith('.js'));
    const text = (await Promise.all(scripts.map((name) => readFile(join(assets, name), 'utf8')))).join('\n');
    assert.match(text, /matmul_tiled/);
    // What compiles ahead, kernels for lavapipe and for subgroup matrices.
    assert.not.match(text, /dispatchWorkgroupsIndirect|(matmul|conv2d|weight)_quads\b|_stem\b|_subgroup_matrix/);
    const { page: tab, close } = await openPage('http://localhost', join(project, 'site'));
    try {
      await tab.goto('http://localhost/index.html');
      await tab.waitForFunction("'losses' in globalThis");
      assertLearns(await tab.evaluate<number[]>('losses()'));
    } finally {
      await close();
    }
  },
);

test.run();
