/** What the build makes of WGSL files. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importLines } from '../src/gpu/wgsl/import-lines.ts';
import { linked } from '../src/gpu/wgsl/link.ts';
import { linkWgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import { bindingsOf } from '../src/gpu/wgsl/reflect.ts';
import { elementwiseSource } from '../src/ops/elementwise/elementwise-source.ts';
import { binaryOps, clampOp, unaryOps } from '../src/ops/elementwise/table.ts';

/** Tests run from a bundle two folders below the root; the build's own files are not bundled with them. */
const own = (file: string): Promise<unknown> => import(new URL(`../../src/build/${file}`, import.meta.url).href);
const { shorter, shortener } = (await own('shorter-wgsl.mjs')) as {
  shorter: (source: string) => string;
  shortener: (
    folder: string,
    importLines: (text: string) => readonly { path: string }[],
  ) => Promise<(text: string, name: string) => string>;
};
const { wgsl } = (await own('wgsl-plugin.mjs')) as {
  wgsl: (options?: { files?: boolean; shaders?: string }) => Plugin;
};

const folder = mkdtempSync(join(tmpdir(), 'engram-wgsl-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles `code` beside shaders by name. */
async function bundled(code: string, shaders: Readonly<Record<string, string>>, files = true): Promise<string> {
  const place = mkdtempSync(join(folder, 'case-'));
  for (const [name, text] of Object.entries(shaders)) {
    const path = join(place, 'shaders', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: place },
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    plugins: [wgsl({ files, shaders: join(place, 'shaders') })],
  });
  return outputFiles[0]?.text ?? '';
}

const evaluated = async (code: string): Promise<unknown> =>
  ((await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { default: unknown }).default;

const SHADERS = {
  'a.wgsl': '// import lib/b.wgsl\nenable f16;\n\nfn a() -> u32 {\n  return b() - 1u; // one less\n}\n',
  'lib/b.wgsl': 'fn b() -> u32 { return 2u; }',
  'unused.wgsl': 'fn unused() {}',
};

test('a file becomes a module with the modules that it imports', async () => {
  const code = await bundled(`export { default } from './shaders/a.wgsl'`, SHADERS);
  assert.equal(await evaluated(code), {
    name: 'a.wgsl',
    text: 'enable f16;\nfn b0()->u32{return a0()-1u;}\n',
    imports: [{ name: 'lib/b.wgsl', text: 'fn a0()->u32{return 2u;}\n', imports: [] }],
  });
});

test('files can be strings, and those nobody uses are left out', async () => {
  const code = `import a from './shaders/a.wgsl'; import unused from './shaders/unused.wgsl';
    const kernel = { unused }; export default a;`;
  assert.is(await evaluated(await bundled(code, SHADERS, false)), 'enable f16;\nfn b0()->u32{return a0()-1u;}\n');
  const files = await bundled(code, SHADERS);
  assert.match(files, /fn a0\(\)/);
  assert.not.match(files, /unused/);
});

/** The first error of a build that must fail. */
async function firstError(shaders: Readonly<Record<string, string>>) {
  try {
    await bundled(`export { default } from './shaders/a.wgsl'`, shaders);
  } catch (error) {
    const first = (error as BuildFailure).errors[0];
    return { text: first?.text ?? '', line: first?.location?.line, lineText: first?.location?.lineText };
  }
  return assert.unreachable('the build did not fail') as never;
}

test('unknown files and circles stop the build at the line that imports', async () => {
  const unknown = await firstError({ 'a.wgsl': '// A.\n// import lib/b.wgsl\n' });
  assert.match(unknown.text, /^lib\/b\.wgsl is not in .*shaders$/);
  assert.is(unknown.line, 2);
  assert.is(unknown.lineText, '// import lib/b.wgsl');
  const circle = await firstError({ 'a.wgsl': '\n\n// import lib/b.wgsl\n', 'lib/b.wgsl': '// import a.wgsl\n' });
  assert.match(circle.text, /circle: (a\.wgsl → lib\/b\.wgsl → a\.wgsl|lib\/b\.wgsl → a\.wgsl → lib\/b\.wgsl)$/);
});

test('blanks and comments go, but no two tokens become one', () => {
  const short = (text: string) => shorter(text).trimEnd();
  assert.is(short('  // all of it\n\n  let x = a - -b; /* c\n d */\n'), 'let x=a- -b;');
  assert.is(short('x = y / *p + q & &r;'), 'x=y/ *p+q& &r;');
  assert.is(short('var a: array<vec4<S>, 4> = b;'), 'var a:array<vec4<S>,4> =b;');
  assert.is(short('var a: array<vec4<u32>, 4> = mat2x2<f32>();'), 'var a:array<vec4u,4> =mat2x2f();');
  assert.is(short('@group(0) @binding(1) var<storage, read> x: f32;'), '@group(0)@binding(1)var<storage,read>x:f32;');
  assert.is(short('if (a < b && c) { return - 1; } else { x += 1. ; }'), 'if(a<b&&c){return-1;}else{x+=1.;}');
});

test('a declaration is a line, but for loops to be unrolled', () => {
  const loop = 'for (var i = 0u; i < N; i++) { // unrolled\n';
  assert.is(
    shorter(
      `const a = 1;\nfn f(\n  b: u32,\n) {\n  let c = a +\n    b;\n  ${loop}    x[i] = 1.0;\n  }\n}\nfn g() {\n}\n`,
    ),
    `const a=1;\nfn f(b:u32){let c=a+b;\n${loop}x[i]=1.0;}}\nfn g(){}\n`,
  );
});

/** The only module of a folder of these files. */
async function shortened(files: Readonly<Record<string, string>>, name: string, text = files[name]): Promise<string> {
  const place = mkdtempSync(join(folder, 'names-'));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(place, path), text);
  return (await shortener(place, importLines))(text ?? '', name);
}

const NAMES = {
  'a.wgsl': `// import b.wgsl
struct Pair { count: u32, x: f32 }
@group(0) @binding(0) var<storage, read> input: array<T>;
const slot_first = 1u;
fn helper(count: u32, @builtin(workgroup_id) read: vec3<u32>) -> u32 {
  let round = round(f32(count));
  let pair = Pair(count, round);
  return pair.count + u32(pair.x) + outer(SIZE) + slot_first;
}
@compute @workgroup_size(64)
fn main() {
  let T = stays(shared(0x1fu));
  let input = input[T];
  other(helper(T, input));
}
`,
  'b.wgsl': '// Names stay: for a test.\n\nfn stays(first: u32) -> u32 { return first; }\n',
  'c.wgsl': 'fn shared(count: u32, T: u32) -> u32 { return count; }\nfn other(other: u32) {}\nconst main = 3;\n',
};

test('what is declared becomes short, but for what others know by name', async () => {
  assert.is(
    await shortened(NAMES, 'a.wgsl'),
    [
      'struct a0{count:u32,x:f32}',
      '@group(0)@binding(0)var<storage,read>input:array<T>;',
      'const slot_first=1u;',
      'fn b0(a:u32,@builtin(workgroup_id)c:vec3u)->u32{let round=round(f32(a));let b=a0(a,round);return b.count+u32(b.x)+outer(SIZE)+slot_first;}',
      '@compute@workgroup_size(64)',
      'fn main(){let b=stays(shared(0x1fu));let input=input[b];other(b0(b,input));}\n',
    ].join('\n'),
  );
  assert.is(await shortened(NAMES, 'b.wgsl'), 'fn stays(a:u32)->u32{return a;}\n');
  // A file that is not among those keeps its own names.
  const outside = 'fn helper(count: u32) -> Pair { return Pair(count, 1.0); }';
  assert.is(await shortened(NAMES, 'd.wgsl', outside), 'fn b0(count:u32)->a0{return a0(count,1.0);}\n');
});

test('unrolled loops stay as they are written', async () => {
  const text = 'fn f() {\n  for (var index = 0u; index < N; index++) { // unrolled\n    g(index);\n  }\n}\n';
  assert.is(
    await shortened({ 'f.wgsl': text }, 'f.wgsl'),
    'fn a0(){\nfor (var a = 0u; a < N; a++) { // unrolled\ng(a);}}\n',
  );
});

const TOKEN =
  /[A-Za-z_]\w*|0x[\da-f]+(?:p[-+]?\d+)?[fhiu]?|\d*\.?\d+(?:\.\d*)?(?:e[-+]?\d+)?[fhiu]?|>>=|<<=|->|&&|\|\||[-+*/%&|^<>=!]=|\+\+|--|<<|>>|\/\/ unrolled\n|\S/gi;
const isWord = (token: string): boolean => /^[A-Za-z_]/.test(token);

/** A text's tokens, with types under their shorter names and without commas before brackets, which may go. */
const tokensOf = (text: string): string[] =>
  text
    .replace(/\/\/(?! unrolled\n).*/g, '')
    .replace(/\b(vec.|mat...)<([fiu])32>/g, '$1$2')
    .replace(/\b(vec.|mat...)<f16>/g, '$1h')
    .match(TOKEN)
    ?.filter((token, i, all) => token !== ',' || !/^[)}]$/.test(all[i + 1] ?? '')) ?? [];

/** Where the declarations at module scope end, among the tokens. */
function endsOf(tokens: readonly string[]): number[] {
  const ends: number[] = [];
  let depth = 0;
  tokens.forEach((token, i) => {
    if (token === '{') depth++;
    else if (token === '}') depth--;
    if (depth === 0 && (token === '}' || token === ';')) ends.push(i + 1);
  });
  return ends;
}

/** What a declaration at module scope declares. */
const declaredBy = (tokens: readonly string[]): string | undefined =>
  /(?:^|\s)(?:alias|const|fn|override|struct|var(?: < [^>]* >)?) (\w+)/.exec(tokens.join(' '))?.[1];

const shaders = readdirSync('shaders', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wgsl'));
const texts = Object.fromEntries(shaders.map((name) => [name, readFileSync(join('shaders', name), 'utf8')]));
const shorten = await shortener('shaders', importLines);
const shortTexts = Object.fromEntries(
  shaders.map((name) => {
    const imports = importLines(texts[name] as string).map(({ path }) => `// import ${path}\n`);
    return [name, imports.join('') + shorten(texts[name] as string, name)];
  }),
);

/** Two-way: a second partner for either side is an error. */
class Pairs {
  readonly there = new Map<string, string>();
  readonly back = new Map<string, string>();

  add(from: string, to: string, where: string): void {
    assert.is(this.there.get(from) ?? to, to, `${where}: ${from}`);
    assert.is(this.back.get(to) ?? from, from, `${where}: ${to}`);
    this.there.set(from, to);
    this.back.set(to, from);
  }
}

test('the shaders have the same tokens when shorter, but for names', () => {
  assert.ok(shaders.length > 0);
  /** Names at module scope: the same in all files. */
  const module = new Pairs();
  const local: [string, string, string][] = [];
  for (const name of shaders) {
    const [before, after] = [tokensOf(texts[name] as string), tokensOf(shorten(texts[name] as string, name))];
    assert.ok(shorten(texts[name] as string, name).length < (texts[name] as string).length, name);
    assert.is(before.length, after.length, name);
    let begin = 0;
    for (const end of endsOf(before)) {
      const declared = declaredBy(before.slice(begin, end));
      if (declared) module.add(declared, declaredBy(after.slice(begin, end)) ?? '', name);
      const own = new Pairs();
      for (let i = begin; i < end; i++) {
        const [from, to] = [before[i] as string, after[i] as string];
        if (!isWord(from) || before[i - 1] === '.') assert.is(to, from, name);
        else {
          own.add(from, to, `${name}, ${declared}`);
          if (from !== to) local.push([from, to, name]);
        }
      }
      begin = end;
    }
  }
  // What a file renames is a declaration of some file, under its name, or inside a function, under another name than those.
  for (const [from, to, name] of local) {
    const owner = module.back.get(to);
    if (owner !== undefined) assert.is(owner, from, name);
    else
      assert.match(
        texts[name] as string,
        new RegExp(`\\b(?:let|const|var) ${from}\\b|[(,]\\s*(?:@builtin\\(\\w+\\)\\s*)?${from}:`),
      );
  }
});

test('every entry point has the bindings that it had', () => {
  for (const name of shaders) {
    const entries = [...(texts[name] as string).matchAll(/@compute @workgroup_size\(\w+\)\s*fn (\w+)/g)].map(
      ([, entry]) => entry as string,
    );
    const [before, after] = [linked(linkWgsl(name, texts)), linked(linkWgsl(name, shortTexts))];
    for (const entry of entries) assert.equal(bindingsOf(after, entry), bindingsOf(before, entry), `${name} ${entry}`);
  }
});

test('what TypeScript writes finds what it mentions under its name', () => {
  const files = ['elementwise/functions.wgsl', 'elementwise/broadcast.wgsl', 'elementwise/elementwise.wgsl'];
  const declared = (all: Readonly<Record<string, string>>) =>
    new Set(
      [...files, 'lib/nonfinite.wgsl'].flatMap((name) => {
        const tokens = tokensOf(all[name] as string);
        const ends = endsOf(tokens);
        return ends.flatMap((end, i) => declaredBy(tokens.slice(ends[i - 1] ?? 0, end)) ?? []);
      }),
    );
  const [before, after] = [declared(texts), declared(shortTexts)];
  const operands = [{ name: 'a', dtype: 'f32', isNumber: false } as const];
  const ops = [...Object.values({ ...unaryOps, ...binaryOps }), clampOp];
  const expressions = ops.flatMap(({ forward, integers, gradients }) => [forward, integers, ...gradients]);
  const written = [true, false].flatMap((isFlat) =>
    expressions.flatMap(
      (expression) =>
        elementwiseSource('test', { operands, expression: expression ?? 'a', result: 'f32', isFlat }).text.match(
          /\w+/g,
        ) ?? [],
    ),
  );
  const mentioned = [...new Set(written)].filter((word) => before.has(word));
  assert.ok(mentioned.includes('power') && mentioned.includes('broadcast_index'));
  for (const word of mentioned) assert.ok(after.has(word), word);
  // Users' own expressions may call any of the functions.
  for (const word of before) assert.ok(word === 'EACH' || after.has(word), word);
});

/** What is in the parentheses that close at `end`, after the word before them. */
function callThatEnds(text: string, end: number): string {
  let depth = 0;
  let at = end;
  do depth += text[at] === ')' ? 1 : text[at] === '(' ? -1 : 0;
  while (depth > 0 && at-- > 0);
  return `${text.slice(0, at).match(/\w*$/)?.[0]}${text.slice(at, end + 1)}`;
}

test('a difference from one part of a constant is settled before the next part follows', () => {
  const settled = Object.values(texts).flatMap((text) =>
    // (x - n * 0.69) + n * 2.1e-4, which is no better than x - n * 0.69 where an adapter adds up the parts first.
    [...text.matchAll(/ - (\w+) \* [\d.e-]+\)(?= [-+] \1 \* \d)/g)].map(({ index, 0: found }) =>
      callThatEnds(text, index + found.length - 1),
    ),
  );
  assert.ok(settled.length >= 4, `${settled.length} were found`);
  for (const call of settled) assert.match(call, /^settled\(/);
});

test.run();
