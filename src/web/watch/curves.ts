/** The two charts: stairs of accuracy, and the loss as it falls. */
import '../shared/locale.ts';
import uPlot from 'uplot';
import type { Recording } from './recording.ts';

/** Lines are told apart by dashes too. */
const DASHES = [[], [6, 3], [2, 3]] as const;
const HEIGHT = 200;
/** Points of a line of losses: more than a screen shows. */
const MOST_POINTS = 600;

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const axis = (): uPlot.Axis => ({
  stroke: () => colour('--soft'),
  grid: { stroke: () => colour('--edge'), width: 1 },
  ticks: { show: false },
  size: 40,
});

/** A chart that is as wide as what it is in. */
class Chart {
  private readonly plot: uPlot;
  private readonly observer: ResizeObserver;

  constructor(
    private readonly into: HTMLElement,
    labels: readonly string[],
    { stairs, x, y }: { stairs: boolean; x: uPlot.Scale.Range; y: uPlot.Scale.Range },
  ) {
    const { stepped } = uPlot.paths;
    const series: uPlot.Series[] = labels.map((label, at) => ({
      label,
      stroke: () => colour(`--line-${at}`),
      width: 2,
      dash: [...(DASHES[at] ?? [])],
      points: { show: stairs },
      ...(stairs && stepped ? { paths: stepped({ align: 1 }) } : {}),
    }));
    this.plot = new uPlot(
      {
        width: Math.max(200, into.clientWidth),
        height: HEIGHT,
        scales: { x: { time: false, range: x }, y: { range: y } },
        axes: [{ ...axis(), incrs: [1, 2, 5, 10] }, axis()],
        series: [{ label: 'tasks' }, ...series],
        cursor: { show: false },
        legend: { show: false },
      },
      [[], ...labels.map(() => [])],
      into,
    );
    this.observer = new ResizeObserver(() =>
      this.plot.setSize({ width: Math.max(200, into.clientWidth), height: HEIGHT }),
    );
    this.observer.observe(into);
  }

  show(data: uPlot.AlignedData): void {
    this.plot.setData(data);
  }

  /** In other colours, when the page's have changed. */
  redraw(): void {
    this.plot.redraw(false);
  }

  dispose(): void {
    this.observer.disconnect();
    this.plot.destroy();
    this.into.replaceChildren();
  }
}

/** Every so many of a long line, the last one among them. */
function thinned(values: readonly number[], most: number): number[] {
  const stride = Math.ceil(values.length / most);
  return values.filter((_, at) => (values.length - 1 - at) % stride === 0);
}

export class Curves {
  private readonly seen: Chart;
  private readonly loss: Chart;
  private readonly dark = matchMedia('(prefers-color-scheme: dark)');
  private readonly redraw = () => {
    this.seen.redraw();
    this.loss.redraw();
  };

  constructor(
    private readonly recording: Recording,
    { seen, loss }: { seen: HTMLElement; loss: HTMLElement },
  ) {
    const learners = recording.begun.learners.map(({ method }) => method);
    const tasks: uPlot.Scale.Range = () => [0, Math.max(1, recording.tasks)];
    this.seen = new Chart(seen, learners, { stairs: true, x: tasks, y: [0, 100] });
    this.loss = new Chart(loss, learners, { stairs: false, x: tasks, y: (_, __, most) => [0, Math.max(0.5, most)] });
    this.dark.addEventListener('change', this.redraw);
  }

  showStages(): void {
    const { stages, tasks } = this.recording;
    const at = Array.from({ length: tasks }, (_, task) => task + 1);
    this.seen.show([at, ...stages.map((own) => at.map((_, task) => own[task]?.accuracy ?? null))]);
  }

  showLosses(): void {
    const lines = this.recording.losses.map(({ at, loss }): [number[], number[]] => [
      thinned(at, MOST_POINTS),
      thinned(loss, MOST_POINTS),
    ]);
    this.loss.show(uPlot.join(lines.map((line) => line as unknown as uPlot.AlignedData)));
  }

  dispose(): void {
    this.dark.removeEventListener('change', this.redraw);
    this.seen.dispose();
    this.loss.dispose();
  }
}
