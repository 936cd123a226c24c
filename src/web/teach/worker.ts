/** The thread that teaches, answers and keeps: the page asks, and is told. */
import { Engine } from 'engram';
import { failureOf } from '../shared/failure.ts';
import { fetchGzipped } from '../shared/gzipped.ts';
import { patiently } from '../shared/patiently.ts';
import { Lesson } from './lesson.ts';
import type { Command, Told } from './protocol.ts';
import { Store } from './store.ts';
import { readTested, type TestedPictures } from './tested-pictures.ts';

/** `npm run web:network` makes them. */
const NETWORK = new URL('./network.safetensors.gz', import.meta.url).href;
const TESTED = new URL('./tested.safetensors.gz', import.meta.url).href;

const tell = (told: Told, transfer: Transferable[] = []): void => postMessage(told, { transfer });
function fail(error: unknown, isOver: boolean): void {
  const failure = failureOf(error);
  tell({ type: 'failed', ...failure, isOver: isOver || failure.code === 'device-lost' });
}

let lesson: Lesson | null = null;
let tested: TestedPictures | null = null;
/** Of the task that is learnt. */
let task: AbortController | null = null;
/** Of the task that was asked for last, which may wait for its turn. */
let asking: AbortController | null = null;
/** As it was after the last change: what a lost device takes with it is a task at most. */
let latest: Uint8Array<ArrayBuffer> | null = null;

const store = new Store(
  (fault) => tell({ type: 'stored', fault }),
  () => {
    asking?.abort();
    tell({ type: 'elsewhere' });
  },
);

type Act = (lesson: Lesson) => Promise<unknown>;

/** Does one thing after the other with the lesson that is there then. */
function queue(): { add: (act: Act) => void; end: () => Promise<unknown> } {
  let last: Promise<unknown> = Promise.resolve();
  return {
    add(act) {
      last = last.then(async () => {
        if (!lesson) return;
        try {
          await act(lesson);
        } catch (error) {
          fail(error, false);
        }
      });
    },
    end: () => last,
  };
}
/** What changes the lesson waits for what did before. Pictures that come while a task is learnt are for the next one. */
const [changes, additions] = [queue(), queue()];

async function changed(of: Lesson): Promise<void> {
  tell(of.classes);
  latest = await of.file();
  store.save(latest);
}

function show(next: Lesson): void {
  lesson = next;
  tell(next.ready);
  tell(next.classes);
  tell(next.outcome);
}

async function open(takeOver: boolean): Promise<void> {
  try {
    if (!(await store.open(takeOver))) return tell({ type: 'elsewhere' });
    tested ??= readTested(await fetchGzipped(TESTED), 'the test pictures');
    const before = lesson;
    const engine = before?.engine ?? (await patiently(() => Engine.create()));
    const file = await store.read();
    if (file) {
      latest = file;
      show(await Lesson.restore(engine, file, tested, 'what is kept in this browser'));
    } else {
      await begin(engine);
    }
    before?.dispose();
  } catch (error) {
    fail(error, true);
  }
}

async function begin(engine: Engine): Promise<void> {
  const all = tested as TestedPictures;
  const network = await fetchGzipped(NETWORK);
  const next = await Lesson.begin(engine, network, all, "the site's network", true);
  latest = await next.file();
  show(next);
}

/** On another device, from what was there after the last change. */
async function recover(): Promise<void> {
  try {
    lesson = null;
    await Promise.all([changes.end(), additions.end()]);
    const engine = await patiently(() => Engine.create());
    if (!latest || !tested) return await open(false);
    show(await Lesson.restore(engine, latest, tested, 'what was taught'));
  } catch (error) {
    fail(error, true);
  }
}

async function teach(of: Lesson, own: AbortController): Promise<void> {
  task = own;
  const { signal } = own;
  try {
    signal.throwIfAborted();
    for await (const told of of.teach(signal)) tell(told);
    await changed(of);
    tell(of.outcome);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    task = null;
    tell({ type: 'learning', at: null });
  }
}

/** The latest picture that was asked for and not answered yet. */
let asked: ImageData | null = null;
let isAnswering = false;
async function answer(): Promise<void> {
  if (isAnswering) return;
  isAnswering = true;
  while (asked && lesson) {
    const [picture, of]: [ImageData, Lesson] = [asked, lesson];
    asked = null;
    try {
      tell({ type: 'answers', answers: await of.answers(picture) });
    } catch (error) {
      // Of one that was left meanwhile nobody waits for an answer.
      if (of === lesson) fail(error, false);
    }
  }
  isAnswering = false;
}

async function take({ name, bytes }: Extract<Command, { type: 'import' }>['file'], of: Lesson): Promise<void> {
  const next = await Lesson.begin(of.engine, bytes, tested as TestedPictures, name, false);
  of.dispose();
  show(next);
  await changed(next);
}

/** Also where what is kept cannot be read, and there is no lesson. */
async function startOver(): Promise<void> {
  if (!lesson) {
    await store.remove();
    return open(false);
  }
  changes.add(async (of) => {
    await store.remove();
    await begin(of.engine);
    of.dispose();
  });
}

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  switch (command.type) {
    case 'start':
      return void open(false);
    case 'take over':
      return void open(true);
    case 'recover':
      return void recover();
    case 'ask':
      asked = command.picture;
      return void answer();
    case 'add':
      return (task ? additions : changes).add(async (of) => {
        const left = await of.add(command.name, command.pictures);
        await changed(of);
        if (left) tell({ type: 'failed', code: 'pictures', message: left, isOver: false });
      });
    case 'rename':
      return changes.add(async (of) => {
        of.rename(command.name, command.to);
        await changed(of);
      });
    case 'remove':
      return changes.add(async (of) => {
        of.remove(command.name, command.picture);
        await changed(of);
      });
    case 'teach': {
      const own = new AbortController();
      asking = own;
      return changes.add((of) => teach(of, own));
    }
    case 'stop':
      return asking?.abort();
    case 'export':
      return changes.add(async (of) => {
        const bytes = await of.export();
        tell({ type: 'exported', bytes }, [bytes.buffer]);
      });
    case 'import':
      return changes.add((of) => take(command.file, of));
    case 'start over':
      return void startOver();
  }
});
