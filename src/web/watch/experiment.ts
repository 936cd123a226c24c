/** What is watched: every setting and seed. All of it stands in the page's address, so that a link is the experiment. */
import type { PoolKind } from 'engram';
import type { MethodName } from 'engram/methods';

export interface NumberField {
  readonly kind: 'number';
  readonly label: string;
  /** What it does, for people who meet it for the first time. */
  readonly says: string;
  readonly least: number;
  readonly most: number;
  readonly step: number;
}

export interface ChoiceField {
  readonly kind: 'choice';
  readonly label: string;
  readonly says: string;
  readonly options: readonly string[];
}

const decimal = (label: string, least: number, most: number, step: number, says: string): NumberField => ({
  kind: 'number',
  label,
  says,
  least,
  most,
  step,
});
const whole = (label: string, least: number, most: number, says: string): NumberField =>
  decimal(label, least, most, 1, says);
const choice = (label: string, options: readonly string[], says: string): ChoiceField => ({
  kind: 'choice',
  label,
  says,
  options,
});

export interface Learner {
  /** What it does, in a clause. */
  readonly says: string;
  /** The groups of old tasks that it is held to; `null` where it distils nothing. */
  readonly pool: PoolKind | null;
}

/**
 * Methods that can be watched, and what each does, in a clause. "All classes at once" learns no tasks, and what takes several
 * networks or phases a task takes too long to look at.
 */
export const WATCHED = {
  finetune: { says: 'only looks at what is new', pool: null },
  lwf: { says: 'asks its former self about the new pictures, and keeps none of the old', pool: 'whole' },
  replay: { says: 'is shown the pictures that it kept again', pool: null },
  derpp: { says: 'keeps pictures, and what it once thought of them', pool: null },
  icarl: { says: 'keeps pictures, and goes by the nearest mean of its features', pool: 'whole' },
  wa: { says: 'asks its former self, then evens out how loud new classes are', pool: 'whole' },
  kd: { says: 'keeps pictures, and asks its former self about all old classes at once', pool: 'whole' },
  tkd: { says: 'keeps pictures, and asks its former self task by task', pool: 'tasks' },
  ssil: { says: 'keeps pictures, and never compares new classes with old ones', pool: 'tasks' },
  fdkd: { says: 'keeps pictures, and asks its former self about every combination of old tasks', pool: 'dense' },
  rdkd: {
    says: 'keeps pictures, and asks its former self about one combination of old tasks, drawn anew in each step',
    pool: 'dense',
  },
} as const satisfies Partial<Record<MethodName, Learner>>;

export type Watched = keyof typeof WATCHED;

/** What a method does, in a clause; nothing for those that the page does not offer, whose runs it shows all the same. */
export const saysOf = (method: string): string => {
  const [name = ''] = method.split('-');
  return Object.hasOwn(WATCHED, name) ? WATCHED[name as Watched].says : '';
};

/** The settings of a stream and its learners, by their names in configurations. */
export const FIELDS = {
  data: choice('Pictures', ['fashion-mini', 'glyphs'], 'Ten kinds of clothes, or a hundred letters of four scripts.'),
  tasks: whole(
    'Tasks',
    2,
    20,
    'How many lots the classes arrive in. Each lot is learnt to its end before the next comes.',
  ),
  baseClasses: whole(
    'Classes of the first task',
    0,
    90,
    'A head start: so many classes come together first. 0: no more than in the others.',
  ),
  memory: whole(
    'Pictures kept',
    0,
    2000,
    'Room for old pictures, over all classes. What is kept is shown again while new classes are learnt.',
  ),
  trainPerClass: whole('Training pictures a class', 2, 300, 'More of them teach more, and take longer.'),
  testPerClass: whole('Test pictures a class', 1, 100, 'Never learnt from: they tell what is known.'),
  baseEpochs: whole('Rounds through the first task', 1, 200, 'How often each picture of the first task is seen.'),
  epochs: whole('Rounds through later tasks', 1, 200, 'How often each picture of the others is seen.'),
  batch: whole('Batch', 1, 128, 'Pictures that are looked at together before the weights move.'),
  lr: decimal(
    'Learning rate',
    0.001,
    1,
    0.001,
    'How far the weights move in a step. It falls to nothing within each task, along a cosine.',
  ),
  width: whole(
    'Width',
    2,
    64,
    'Channels of the network’s first stage; the last one has four times as many. Twice the width is four times the work.',
  ),
  temperature: decimal(
    'Temperature',
    0.1,
    20,
    0.1,
    'Distillation compares softened probabilities: the higher, the more the unlikely classes count.',
  ),
  kdWeight: decimal(
    'Weight of the distillation',
    0,
    20,
    0.1,
    'What keeping counts beside learning. 0: nothing is kept that way.',
  ),
  classSeed: whole(
    'Order of the classes',
    -1,
    2 ** 31,
    'A seed: other orders are forgotten differently. −1: as the data have them.',
  ),
  seed: whole('Seed', 0, 2 ** 31, 'Of everything else that is random. The same seed gives the same run.'),
} as const satisfies Record<string, NumberField | ChoiceField>;

type Field = keyof typeof FIELDS;
type ValueOf<F extends Field> = (typeof FIELDS)[F]['kind'] extends 'number' ? number : string;

/** The settings, and the methods side by side. */
export type Experiment = { readonly [F in Field]: ValueOf<F> } & { readonly learners: readonly Watched[] };

export const MOST_LEARNERS = 3;
/** Of addresses: a setting that changes its meaning takes another. */
const VERSION = '1';

/** As `npm start` has it for slow adapters, where its spread over class orders was measured. */
export const USUAL: Experiment = {
  data: 'fashion-mini',
  learners: ['finetune', 'replay', 'fdkd'],
  tasks: 4,
  baseClasses: 4,
  memory: 20,
  trainPerClass: 16,
  testPerClass: 50,
  baseEpochs: 30,
  epochs: 24,
  batch: 16,
  lr: 0.1,
  width: 8,
  temperature: 2,
  kdWeight: 2,
  classSeed: 0,
  seed: 0,
};

export interface Preset {
  /** The whole of it in a sentence. */
  readonly prose: string;
  readonly experiment: Experiment;
}

export const PRESETS: readonly Preset[] = [
  { prose: 'Four kinds of clothes first, then two at a time; room for twenty old pictures.', experiment: USUAL },
  {
    prose: 'The same with five times the room: how much of it do a hundred pictures save?',
    experiment: { ...USUAL, memory: 100 },
  },
  {
    prose:
      'Three ways to ask one’s former self: about everything at once, task by task, or every combination of tasks.',
    experiment: { ...USUAL, tasks: 5, baseClasses: 0, learners: ['kd', 'tkd', 'fdkd'] },
  },
  {
    prose: 'Every combination of tasks in every step, or a single one, drawn anew each time: does it keep as much?',
    experiment: { ...USUAL, tasks: 5, baseClasses: 0, learners: ['replay', 'rdkd', 'fdkd'] },
  },
  {
    prose: 'A hundred letters, ten at a time.',
    experiment: {
      ...USUAL,
      data: 'glyphs',
      tasks: 10,
      baseClasses: 0,
      memory: 100,
      trainPerClass: 30,
      testPerClass: 10,
    },
  },
];

/** The address's query of an experiment. */
export function toQuery(experiment: Experiment): string {
  const query = new URLSearchParams({ v: VERSION, learners: experiment.learners.join(' ') });
  for (const name of Object.keys(FIELDS) as Field[]) query.set(name, `${experiment[name]}`);
  return `?${query}`;
}

/** A field's value from text; `null` for what does not fit. */
export function readField(field: NumberField | ChoiceField, text: string): number | string | null {
  if (field.kind === 'choice') return field.options.includes(text) ? text : null;
  const value = Number(text);
  const fits = text.trim() !== '' && value >= field.least && value <= field.most;
  return fits && (field.step < 1 || Number.isInteger(value)) ? value : null;
}

/** Methods side by side, from text; `null` for none, too many, or one that is not known. */
export function learnersOf(text: string): Watched[] | null {
  const names = [...new Set(text.split(/[\s,+]+/).filter(Boolean))];
  const fits = names.length > 0 && names.length <= MOST_LEARNERS && names.every((name) => Object.hasOwn(WATCHED, name));
  return fits ? (names as Watched[]) : null;
}

/**
 * The experiment of an address.
 * @returns with what was not understood, where the usual takes its place.
 */
export function fromQuery(query: string): { readonly experiment: Experiment; readonly faults: readonly string[] } {
  const given = new URLSearchParams(query);
  const faults: string[] = [];
  const experiment: Record<string, unknown> = { ...USUAL };
  const version = given.get('v');
  if (version !== null && version !== VERSION)
    faults.push(`The link is of another version (${version}) of this page: some settings may mean something else now.`);
  for (const [name, text] of given) {
    if (name === 'v') continue;
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name as Field] : undefined;
    const value = name === 'learners' ? learnersOf(text) : field ? readField(field, text) : null;
    if (value !== null) experiment[name] = value;
    else if (field || name === 'learners') faults.push(`“${text}” does not fit ${name}; the usual value is taken.`);
    else faults.push(`This page has no setting “${name}”; it is left out.`);
  }
  return { experiment: experiment as unknown as Experiment, faults };
}
