/** WGSL files that import each other, and what is read off their entry points. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../src/errors.ts';
import { readEntry } from '../src/gpu/wgsl/entry-point.ts';
import type { EntryText, WgslFile } from '../src/gpu/wgsl/file.ts';
import { linked } from '../src/gpu/wgsl/link.ts';
import { linkWgsl, wgsl } from '../src/gpu/wgsl/link-wgsl.ts';
import { packParams } from '../src/gpu/wgsl/pack-params.ts';
import type { ParamsLayout } from '../src/gpu/wgsl/params.ts';
import { entriesOf, reflect } from '../src/gpu/wgsl/reflect.ts';
import { withoutComments, wordsReached } from '../src/gpu/wgsl/text.ts';
import { elementwiseSource } from '../src/ops/elementwise/elementwise-source.ts';
import { engine, errorOf } from './support/engine.ts';

/** The message of the ArgumentError that `fn` throws. */
function refusal(fn: () => unknown): string {
  const error = errorOf(fn);
  assert.instance(error, ArgumentError);
  return error.message;
}

test('a file comes behind all it imports, each once, and the directives of all come first', () => {
  const file = linkWgsl('top.wgsl', {
    'top.wgsl': '// Top.\n// import left.wgsl\nenable subgroups;\n// import lib/right.wgsl\n\nfn top() {}\n',
    'left.wgsl': '// import lib/base.wgsl\nfn left() {}\n// import lib/never.wgsl',
    'lib/right.wgsl': '/* enable nothing; */ enable f16;\nenable  subgroups;\n// import lib/base.wgsl\nfn right() {}\n',
    'lib/base.wgsl': 'fn base() {}\n',
    'other.wgsl': 'fn other() {}\n',
  });
  assert.is(
    linked(file),
    'enable f16;\nenable subgroups;\nfn base() {}\nfn left() {}\n// import lib/never.wgsl\nfn right() {}\nfn top() {}\n',
  );
  assert.is(linked(file), linked(file));
  assert.is(file.name, 'top.wgsl');
  assert.is(file.imports[0]?.imports[0], file.imports[1]?.imports[0]);
});

test('a text by itself is itself, but cannot import', () => {
  assert.is(linked(wgsl`fn a() { /* ${1} */ }`), 'fn a() { /* 1 */ }');
  assert.match(
    refusal(
      () => wgsl`// Mine.
// import lib/a.wgsl
fn a() {}`,
    ),
    /line 2: .* cannot import lib\/a\.wgsl.* linkWgsl\(/,
  );
});

test('elementwise kernels know their entry point as a parser reads it', () => {
  const a = { name: 'a', dtype: 'f16', isNumber: false } as const;
  const b = { name: 'b', dtype: 'f32', isNumber: true } as const;
  const c = { name: 'c', dtype: 'i32', isNumber: false } as const;
  for (const operands of [[a], [a, b], [b, c], [a, b, c, { ...b, name: 'y' }]]) {
    for (const isFlat of [true, false]) {
      const file = elementwiseSource('own', { operands, expression: 'a', result: 'f32', isFlat });
      const read = entriesOf(file).main as EntryText;
      assert.equal(file.entries?.main, read);
      const { bindings, params } = readEntry(read);
      const parsed = reflect(file, 'main', {}, 'own');
      assert.equal(
        bindings,
        parsed.bindings.map((binding) => ({ ...binding, name: '' })),
      );
      const plain = (layout: ParamsLayout | null) =>
        layout?.fields.map((field) => ({ ...field, type: field.type.replace(/ /g, '') }));
      assert.equal(plain(params), plain(parsed.params));
    }
  }
});

test('a uniform of structs is written down, and read as a parser reads it', () => {
  const file = linkWgsl('own.wgsl', {
    'own.wgsl': `struct Params { @align(16) a: u32, b: i32, c: f32, d: vec2<f32> }
@group(0) @binding(0) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<uniform> all: array<Params, 3>;
@compute @workgroup_size(1) fn main() { output[0] = all[1].c; }`,
  });
  const { params } = readEntry(entriesOf(file).main as EntryText);
  const parsed = reflect(file, 'main', {}, 'own').params;
  const values = { all: [1, 2, 3].map((i) => ({ a: i, b: -i, c: i / 2, d: [i, 2 * i] })) };
  assert.equal(packParams(params as ParamsLayout, values, 'own'), packParams(parsed as ParamsLayout, values, 'own'));
});

test('a file without that entry point says which it has', () => {
  const file: WgslFile = { name: 'own.wgsl', text: 'fn main() {}', imports: [], entries: { one: [''], two: [''] } };
  assert.match(
    refusal(() => engine.dispatch({ kernel: { name: 'own', source: file }, buffers: [], workgroups: [1] })),
    /^own: own\.wgsl has no entry point main; it has one, two\. .*linkWgsl\(\)/,
  );
});

test('circles are named', () => {
  const files = {
    'a.wgsl': '// import b.wgsl\n',
    'b.wgsl': '// import c.wgsl\n',
    'c.wgsl': '\n// import b.wgsl\n',
  };
  assert.match(
    refusal(() => linkWgsl('a.wgsl', files)),
    /^c\.wgsl:2: .*: b\.wgsl → c\.wgsl → b\.wgsl\./,
  );
  const a = { name: 'a', text: '', imports: [] as WgslFile[] };
  a.imports.push({ name: 'b', text: '', imports: [a] });
  assert.match(
    refusal(() => linked(a)),
    /a → b → a/,
  );
});

test('unknown files are told with who asks for them and what there is', () => {
  const files = { 'a.wgsl': 'enable f16;\n// import lib/quad.wgsl\n', 'lib/quads.wgsl': '', 'z.wgsl': '' };
  assert.match(
    refusal(() => linkWgsl('a.wgsl', files)),
    /^a\.wgsl:2: lib\/quad\.wgsl is unknown; the files are a\.wgsl, lib\/quads\.wgsl, z\.wgsl\. Did you mean lib\/quads\.wgsl\?$/,
  );
  assert.match(
    refusal(() => linkWgsl('toString', files)),
    /^linkWgsl: toString is unknown/,
  );
  assert.match(
    refusal(() => linkWgsl('a.wgsl', {})),
    /the files are none\.$/,
  );
});

test('comments go, nested ones too', () => {
  assert.is(withoutComments('a/* x /* y */ z */b // c\nd/**/e /* open'), 'a b  \nd e  ');
});

test('an entry point reaches what the functions it calls do', () => {
  const text = 'fn main() { a(); } fn a() { if (x) { main(); } } fn b() { y = 1; }';
  assert.equal([...wordsReached(text, 'main')].sort(), ['a', 'fn', 'if', 'main', 'x']);
});

test.run();
