/** The page *Teach* without a browser: its camera, what it keeps, and its lessons. */
import { Engine } from 'engram';
import { ContinualLearner } from 'engram/continual';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Camera } from '../src/web/teach/camera.ts';
import { Lesson } from '../src/web/teach/lesson.ts';
import { Store } from '../src/web/teach/store.ts';

/** Puts something in the place of the browser's `navigator`. */
async function withNavigator<T>(navigator: object, act: () => Promise<T>): Promise<T> {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  try {
    return await act();
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}

/** A camera that waits for being allowed, and what it gave that is still on. */
function cameraToAllow() {
  const waiting: (() => void)[] = [];
  const isOn: boolean[] = [];
  const getUserMedia = () =>
    new Promise<object>((allow) => {
      waiting.push(() => {
        const at = isOn.push(true) - 1;
        const stop = () => {
          isOn[at] = false;
        };
        allow({ getTracks: () => [{ stop }] });
      });
    });
  const video = { srcObject: null, play: async () => {} };
  return { camera: new Camera(video as unknown as HTMLVideoElement), waiting, isOn, mediaDevices: { getUserMedia } };
}

test('a camera that is left before it is allowed does not stay on', async () => {
  const { camera, waiting, isOn, mediaDevices } = cameraToAllow();
  await withNavigator({ mediaDevices }, async () => {
    const first = camera.start();
    camera.stop();
    waiting[0]?.();
    await first;
    assert.equal([camera.isOn, isOn], [false, [false]]);
    const [second, third] = [camera.start(), camera.start()];
    waiting[1]?.();
    waiting[2]?.();
    await Promise.all([second, third]);
    assert.equal([camera.isOn, isOn], [true, [false, false, true]]);
    camera.stop();
    assert.equal([camera.isOn, isOn], [false, [false, false, false]]);
  });
});

test('without locks, which plain http has not, the page goes on to say that there is no WebGPU', async () => {
  const store = new Store(
    () => {},
    () => {},
  );
  assert.ok(await withNavigator({}, () => store.open(false)));
});

const format = { height: 8, width: 8, channels: 1 };
/** Pictures of stripes, each another one. */
const stripes = (count: number, period: number) => ({
  ...format,
  count,
  data: Uint8Array.from({ length: 64 * count }, (_, i) => (i % period === 0 ? 250 - Math.floor(i / 64) : i % 7)),
});

test('pictures that it keeps already may be shown and taught once more', async () => {
  const engine = await Engine.create();
  const learner = await ContinualLearner.create(engine, { model: 'resnet8', width: 2, memoryPerClass: 4, epochs: 1 });
  for await (const _ of learner.learn({ a: stripes(4, 2), b: stripes(4, 3), cup: stripes(4, 5) }));
  const tested = { images: stripes(2, 2), labels: ['a', 'b'] };
  const lesson = await Lesson.begin(engine, await learner.save(), tested, 'test', false);
  try {
    const [cup] = lesson.own.told(['cup']);
    assert.is(cup?.count, 4);
    lesson.own.add('cup', [cup!.pictures.slice(0, 64)]);
    for await (const _ of lesson.teach(new AbortController().signal));
    const [now] = lesson.own.told(['cup']);
    assert.equal([now?.count, now?.taught], [5, 5]);
  } finally {
    lesson.dispose();
    learner.dispose();
    await engine.destroy();
  }
});

test.run();
