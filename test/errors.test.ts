import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError, ValidationError } from '../src/errors.ts';
import { clipped, printable } from '../src/gpu/printable.ts';

test('what a terminal would obey is spelt out, and all else left as it is', () => {
  assert.is(printable('\u001b[2J\u0007a\nb\r\tc\u009bd'), '\\u001b[2J\\u0007a\\nb\\r\\tc\\u009bd');
  assert.is(printable('a\u202eb\u2028c\ud800'), 'a\\u202eb\\u2028c\\ud800');
  const kept = 'Größe "ж" λ 日本 \\n 🦊';
  assert.is(printable(kept), kept);
  assert.is(clipped('abcdef', 3), 'abc…');
  assert.is(clipped('abc', 3), 'abc');
});

test('an error is one printable paragraph, whatever is in the names it tells', () => {
  const where = 'evil\u001b]0;title\u0007\nname';
  const error = new DataError({ where, message: 'this is\nbad.', fix: 'Rename \u001b[1mit.' });
  assert.is(error.message, 'evil\\u001b]0;title\\u0007\\nname: this is\\nbad. Rename \\u001b[1mit.');
  assert.is(error.where, where, 'for programs, as it was given');
});

test('what a device says in several lines becomes one', () => {
  const error = new ValidationError({ where: 'add', message: 'too large.\n - While encoding.\n - While submitting.' });
  assert.is(error.message, 'add: too large. - While encoding. - While submitting.');
});

test.run();
