/** The records of runs as tables for spreadsheets: a line an epoch, a task, a class, and a run. */
import { csvFormat } from 'd3-dsv';
import { classesSeen, type RunRecord, summaryOf } from '../continual/benchmark/run-record.ts';
import { classFigures } from './class-figures.ts';

type Cell = string | number | null | undefined;
type Row = Readonly<Record<string, Cell>>;

/** By which spreadsheets know that the text is UTF-8. */
const BYTE_ORDER_MARK = '\ufeff';

/** What every table of ours begins with. */
export const CSV_BEGINNING = `${BYTE_ORDER_MARK}run,method,`;

/** Text that a spreadsheet would take for a formula, as text. */
const plain = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

/** What columns of a method's notes begin with. */
const NOTE = 'note';

const prefixed = (prefix: string, values: Readonly<Record<string, number>> = {}): Row =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value]));

/** The rows with all columns that some row has, in order of appearance; those of `last` behind the others. */
function table(rows: readonly Row[], last: readonly string[] = []): string {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const ordered = [...columns.filter((name) => !last.includes(name)), ...last.filter((name) => columns.includes(name))];
  const cells = rows.map((row) =>
    Object.fromEntries(
      ordered.map((name) => {
        const cell = row[name];
        return [name, typeof cell === 'string' ? plain(cell) : (cell ?? '')];
      }),
    ),
  );
  return `${BYTE_ORDER_MARK}${csvFormat(cells, ordered)}\n`;
}

const nameOf = ({ name, method }: RunRecord): Row => ({ run: name, method });

function epochRows(record: RunRecord): Row[] {
  let steps: number | undefined = 0;
  // A column only where there is something to say.
  const isNamed = record.losses.some(({ phaseName }) => phaseName !== undefined);
  return record.losses.map((epoch): Row => {
    steps = steps === undefined || epoch.steps === undefined ? undefined : steps + epoch.steps;
    return {
      ...nameOf(record),
      task: epoch.task + 1,
      phase: (epoch.phase ?? 0) + 1,
      ...(isNamed ? { 'phase name': epoch.phaseName } : {}),
      epoch: epoch.epoch + 1,
      'steps done': steps,
      loss: epoch.loss,
      ...prefixed('loss', epoch.terms),
      'learning rate': epoch.lr,
      'images per second': epoch.imagesPerSecond,
      seconds: epoch.seconds,
      ...(epoch.waited === undefined ? {} : { 'seconds of waiting': epoch.waited }),
      date: epoch.date,
    };
  });
}

function taskRows(record: RunRecord): Row[] {
  const seen = classesSeen(record);
  return record.matrix.map((row, task): Row => {
    const { matrix, tests, zeroShots } = record;
    const summary = summaryOf({
      ...record,
      matrix: matrix.slice(0, task + 1),
      ...(tests ? { tests: tests.slice(0, task + 1) } : {}),
      ...(zeroShots ? { zeroShots: zeroShots.slice(0, task) } : {}),
    });
    const { counted } = summary;
    const split = counted?.split.at(-1);
    const own = record.tasks?.[task];
    return {
      ...nameOf(record),
      data: record.dataset,
      task: task + 1,
      'classes seen': seen[task],
      'new classes': own?.newClasses.join('; '),
      'accuracy on all %': summary.curve.at(-1),
      'average incremental %': summary.average,
      'old classes %': split?.old,
      'new classes %': split?.new,
      'harmonic mean %': split?.harmonicMean,
      'task told %': counted?.taskIncremental.last,
      'classifier %': counted?.classifier?.last,
      'nearest mean %': counted?.nearestMean?.last,
      'forgetting, best - last': task > 0 ? summary.forgetting : null,
      'forgetting, first - last': task > 0 ? summary.firstLastForgetting : null,
      'forgetting by increments': task > 0 ? counted?.incrementForgetting : null,
      'backward transfer': task > 0 ? summary.backwardTransfer : null,
      'forward transfer': task > 0 ? counted?.forwardTransfer : null,
      'calibration error': counted?.calibrationErrors.at(-1),
      ...Object.fromEntries(row.map((accuracy, of) => [`task ${of + 1} %`, accuracy])),
      exemplars: own?.exemplars,
      'bytes of exemplars': own?.exemplarBytes,
      'bytes on the device at most': own?.peakBytes,
      seconds: own?.seconds,
      date: own?.date,
      ...prefixed(NOTE, own?.notes),
    };
  });
}

const classRows = (record: RunRecord): Row[] =>
  (classFigures(record) ?? []).map((one, label) => ({
    ...nameOf(record),
    class: label + 1,
    name: one.name,
    task: one.task + 1,
    'test images': one.images,
    'just learnt %': one.first,
    'at the end %': one.last,
    'most taken for': one.mistaken?.name,
    'taken for it %': one.mistaken?.share,
  }));

/** A setting as it was recorded: lists and whatever else is no single value as JSON. */
const settingCell = (value: unknown): Cell =>
  typeof value === 'string' || typeof value === 'number' || value == null ? value : JSON.stringify(value);

/** What is no setting, behind them. */
const ABOUT = ['class order', 'classes a task', 'adapter', 'version', 'began'];

/** By what lines of the other tables are told apart and grouped; what the run itself says goes before its configuration. */
const settingRow = (record: RunRecord): Row => ({
  ...nameOf(record),
  ...Object.fromEntries(Object.entries(record.config).map(([key, value]) => [key, settingCell(value)])),
  ...nameOf(record),
  data: record.dataset,
  'class order': JSON.stringify(record.classOrder),
  'classes a task': JSON.stringify(record.classesPerTask),
  adapter: record.adapter,
  version: record.version,
  began: record.date,
});

/** By file name; a table without a line is left out. Percent, points, seconds, bytes; tasks, phases, epochs and classes count from 1. */
export function csvTables(records: readonly RunRecord[]): Map<string, string> {
  const costs = ['exemplars', 'bytes of exemplars', 'bytes on the device at most', 'seconds', 'date'];
  const [epochs, tasks] = [records.flatMap(epochRows), records.flatMap(taskRows)];
  const notes = [...new Set(tasks.flatMap(Object.keys))].filter((name) => name.startsWith(`${NOTE} `));
  const tables: [string, Row[], string[]][] = [
    ['epochs.csv', epochs, ['learning rate', 'images per second', 'seconds', 'seconds of waiting', 'date']],
    ['tasks.csv', tasks, [...costs, ...notes]],
    ['classes.csv', records.flatMap(classRows), []],
    // Of runs that have no line elsewhere there is nothing to tell apart.
    ['settings.csv', tasks.length + epochs.length > 0 ? records.map(settingRow) : [], ABOUT],
  ];
  return new Map(tables.flatMap(([name, rows, last]) => (rows.length > 0 ? [[name, table(rows, last)] as const] : [])));
}
