/** What the build makes of WGSL files. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** Tests run from a bundle two folders below the root; the build's own files are not bundled with them. */
const own = (file: string): Promise<unknown> => import(new URL(`../../src/build/${file}`, import.meta.url).href);
const { shorter } = (await own('shorter-wgsl.mjs')) as { shorter: (source: string) => string };
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
    text: 'enable f16;\nfn a()->u32{return b()-1u;}\n',
    imports: [{ name: 'lib/b.wgsl', text: 'fn b()->u32{return 2u;}\n', imports: [] }],
  });
});

test('files can be strings, and those nobody uses are left out', async () => {
  const code = `import a from './shaders/a.wgsl'; import unused from './shaders/unused.wgsl';
    const kernel = { unused }; export default a;`;
  assert.is(await evaluated(await bundled(code, SHADERS, false)), 'enable f16;\nfn a()->u32{return b()-1u;}\n');
  const files = await bundled(code, SHADERS);
  assert.match(files, /fn b\(\)/);
  assert.not.match(files, /fn unused/);
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

test('the shaders have the same tokens when shorter', () => {
  const TOKEN =
    /[A-Za-z_]\w*|0x[\da-f]+[iu]?|\d*\.?\d+(?:\.\d*)?(?:e[-+]?\d+)?[fhiu]?|>>=|<<=|->|&&|\|\||[-+*/%&|^<>=!]=|\+\+|--|<<|>>|\/\/ unrolled\n|\S/gi;
  // Types under their shorter names, no commas before brackets.
  const tokens = (text: string) =>
    text
      .replace(/\/\/(?! unrolled\n).*/g, '')
      .replace(/\b(vec.|mat...)<([fiu])32>/g, '$1$2')
      .match(TOKEN)
      ?.filter((token, i, all) => token !== ',' || !/^[)}]$/.test(all[i + 1] ?? '')) ?? [];
  const names = readdirSync('shaders', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wgsl'));
  assert.ok(names.length > 0);
  for (const name of names) {
    const text = readFileSync(join('shaders', name), 'utf8');
    assert.equal(tokens(shorter(text)), tokens(text), name);
    assert.ok(shorter(text).length < text.length, name);
  }
});

test.run();
