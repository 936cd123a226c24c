import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine, EngineMismatchError, FreedTensorError, ShapeError, type Tensor } from '../src/index.ts';
import { engine, errorOf, leaf, near, uniform } from './support/engine.ts';

test('tensors are made from numbers, nested and typed arrays', async () => {
  assert.equal(engine.tensor(3).shape, []);
  assert.is(await engine.tensor(3).item(), 3);
  const x = engine.tensor([
    [[1], [2]],
    [[3], [4]],
  ]);
  assert.equal(x.shape, [2, 2, 1]);
  assert.equal(await x.array(), [
    [[1], [2]],
    [[3], [4]],
  ]);
  assert.is(engine.tensor(Int32Array.of(1)).dtype, 'i32');
  assert.is(engine.tensor([1, 2], [2], 'u32').dtype, 'u32');
  assert.equal(await engine.full([2], -7, 'i32').data(), Int32Array.of(-7, -7));
  assert.equal(await engine.arange(4).data(), Float32Array.of(0, 1, 2, 3));
  assert.is(String(x), 'Tensor(f32[2, 2, 1])');
});

test('an array that is changed after the upload does not change the tensor', async () => {
  const values = Float32Array.of(1, 2, 3);
  const x = engine.tensor(values);
  values.fill(9);
  assert.equal(await x.data(), Float32Array.of(1, 2, 3));
});

test('a scope frees what it made, but not what it returns or keeps', async () => {
  let inner!: Tensor;
  let kept!: Tensor;
  const outside = engine.ones([2]);
  const before = engine.memory().liveBuffers;
  const { list, map } = engine.scope(() => {
    inner = outside.add(1);
    kept = engine.keep(inner.mul(3));
    return { list: [inner.add(1)], map: new Map([['x', inner.mul(2)]]), outside };
  });
  assert.ok(inner.isFreed);
  assert.not.ok(outside.isFreed);
  await near(list[0], [3, 3], 0);
  await near(map.get('x'), [4, 4], 0);
  await near(kept, [6, 6], 0);
  assert.is(engine.memory().liveBuffers, before + 3);
});

test('scopes nest: what is returned belongs to the outer one', () => {
  let result!: Tensor;
  engine.scope(() => {
    result = engine.scope(() => engine.ones([1]).add(1));
    assert.not.ok(result.isFreed);
  });
  assert.ok(result.isFreed);
});

test('a scope that fails still frees, and the scope around it goes on', () => {
  let lost!: Tensor;
  engine.scope(() => {
    const before = engine.ones([1]);
    const error = errorOf(() =>
      engine.scope(() => {
        lost = engine.ones([3]);
        lost.add(engine.ones([2]));
      }),
    );
    assert.instance(error, ShapeError);
    assert.ok(lost.isFreed);
    assert.not.ok(before.isFreed);
    assert.is(engine.scopes.length, 1);
  });
});

test('an asynchronous scope is refused', () => {
  assert.match(errorOf(() => engine.scope(async () => {})).message, /the function is asynchronous/);
});

test('using frees at the end of the block', () => {
  let seen: Tensor;
  {
    using x = engine.ones([2]);
    seen = x;
    assert.not.ok(seen.isFreed);
  }
  assert.ok(seen.isFreed);
});

test('a freed tensor is refused, with its shape and what made it', async () => {
  let x!: Tensor;
  engine.scope(() => {
    x = engine.ones([2, 3]).add(1);
  });
  for (const [fail, said] of [
    [() => x.mul(1), /^mul: its operand, add \[2, 3\], was freed\. .*return it from the scope/],
    [() => x.sum(), /^sum: its operand, add \[2, 3\], was freed\. .*return it from the scope/],
    [() => x.storage, /^add: this tensor of shape \[2, 3\] was freed\. .*return it from the scope/],
  ] as const) {
    const error = errorOf(fail);
    assert.instance(error, FreedTensorError);
    assert.match(error.message, said);
  }
  const reason = await x.data().catch((error: Error) => error);
  assert.instance(reason, FreedTensorError);
  x.dispose();
});

test('views share the buffer until the last of them goes', async () => {
  const before = engine.memory();
  const x = engine.tensor([1, 2, 3, 4]);
  const y = x.reshape([2, 2]);
  assert.is(engine.memory().liveBuffers, before.liveBuffers + 1);
  x.dispose();
  await near(y, [1, 2, 3, 4], 0);
  y.dispose();
  assert.is(engine.memory().liveBuffers, before.liveBuffers);
});

test('a buffer that is used again does not disturb what was recorded before', async () => {
  const results: Tensor[] = [];
  for (let i = 0; i < 200; i++) {
    results.push(
      engine.scope(() => {
        const x = engine.full([257], i);
        return x.add(engine.full([257], 1)).mul(x);
      }),
    );
  }
  for (const [i, y] of results.entries()) await near(y, new Float32Array(257).fill((i + 1) * i), 0, `step ${i}`);
});

test('tensors of two engines do not mix, and both engines live', async () => {
  const other = await Engine.create();
  const a = engine.ones([2]);
  const b = other.ones([3]);
  const error = errorOf(() => a.mul(b));
  assert.instance(error, EngineMismatchError);
  assert.match(error.message, /mul: tensors of two engines were mixed \(shapes \[2\], \[3\]\)/);
  await near(b.add(1), [2, 2, 2], 0);
  await other.destroy();
  await near(a.add(1), [2, 2], 0);
  const reason = await b.data().catch((e: Error) => e);
  assert.match((reason as Error).message, /the engine was destroyed/);
});

test('a device that the caller owns stays alive', async () => {
  const guest = Engine.from(engine.device);
  await near(guest.arange(3).add(1), [1, 2, 3], 0);
  await guest.destroy();
  await near(engine.ones([1]).add(1), [2], 0);
});

test('memory is flat over many steps', async () => {
  const w = leaf(uniform(64 * 3, 1), [64, 3]);
  const step = (i: number) =>
    engine.scope(() => {
      const x = engine.tensor(uniform(64 * 3, i), [64, 3]);
      w.mul(x).sigmoid().sub(1).square().mean().backward();
      w.grad!.dispose();
      w.grad = null;
    });
  for (let i = 0; i < 10; i++) step(i);
  await engine.sync();
  const { liveBytes, liveBuffers, pooledBytes, pooledBuffers, pipelines } = engine.memory();
  for (let i = 0; i < 300; i++) step(i);
  await engine.sync();
  const after = engine.memory();
  assert.equal(
    [after.liveBytes, after.liveBuffers, after.pooledBytes, after.pooledBuffers, after.pipelines],
    [liveBytes, liveBuffers, pooledBytes, pooledBuffers, pipelines],
  );
});

test('item reads one element only, and shapes must be whole', async () => {
  const reason = await engine
    .ones([2])
    .item()
    .catch((error: Error) => error);
  assert.match((reason as Error).message, /item: a tensor of shape \[2\] has 2 elements/);
  const message = (fn: () => unknown) => errorOf(fn).message;
  assert.match(
    message(() => engine.tensor([1, 2, 3], [2, 2])),
    /3 elements do not fill the shape \[2, 2\]/,
  );
  assert.match(
    message(() => engine.tensor([[1, 2], [3]])),
    /nested arrays must be regular/,
  );
  assert.match(
    message(() => engine.zeros([2, -1])),
    /\[2, -1\] is not a shape/,
  );
  assert.match(
    message(() => engine.zeros([1.5])),
    /\[1\.5\] is not a shape/,
  );
  assert.match(
    message(() => engine.ones([6]).reshape([4, -1])),
    /reshape: \[6\] \(6 elements\) cannot be seen as \[4, -1\]/,
  );
  assert.equal(engine.ones([6]).reshape([-1, 2]).shape, [3, 2]);
});

test.run();
