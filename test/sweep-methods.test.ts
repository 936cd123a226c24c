/** Methods in a sweep's file: built-in ones by their names, those of one's own by their files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engram, refusedIn } from './support/command.ts';

const home = mkdtempSync(join(tmpdir(), 'engram-sweep-methods-'));
test.after(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string): string => join(home, name);

const list = (content: object): string[] => {
  writeFileSync(at('my.json'), JSON.stringify(content));
  return ['sweep', at('my.json'), '--list'];
};

test('a name that is none is told with the nearest one and how a method of your own is named', async () => {
  const said =
    /my\.json: "rplay" is not a built-in method\. Did you mean replay\? .* by its file, such as \.\/rplay\.js/;
  await refusedIn(home, list({ settings: { method: 'rplay' }, seeds: [0] }), said);
  await refusedIn(home, list({ configurations: [{ method: 'kd' }, { method: 'rplay' }] }), said);
  await refusedIn(home, list({ parameters: { method: ['kd', 'rplay'] } }), said);
  await refusedIn(home, list({ parameters: { method: [3] } }), /my\.json: "3" is not a built-in method/);
  writeFileSync(at('recipe.json'), '{"method":"rplay"}');
  await refusedIn(
    home,
    list({ config: 'recipe.json', seeds: [0] }),
    /recipe\.json: "rplay" is not a built-in method\. Did/,
  );
});

test('the baseline names a method of your own by its file or by its name', async () => {
  writeFileSync(
    at('own.js'),
    `import { defineMethod } from 'engram/continual';
export default defineMethod({ name: 'mine', summary: 'nothing', settings: {}, keeps: 'nothing', *learn() {} });`,
  );
  for (const method of ['./own.js', at('own.js'), 'mine']) {
    const sweep = { parameters: { method: ['kd', './own.js'] }, baseline: { method } };
    const { code, out, errors } = await engram(...list(sweep));
    assert.is(code, 0, errors);
    assert.match(out, / kd\n.* mine\n$/);
  }
  await refusedIn(
    home,
    list({ parameters: { method: ['kd', './own.js'] }, baseline: { method: './other.js' } }),
    /my\.json: no run has the settings of the baseline, \{"method":"\.\/other\.js"\}/,
  );
});

test.run();
