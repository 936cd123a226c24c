/** A profile in Chrome's trace-event format, which Perfetto (ui.perfetto.dev) and chrome://tracing open. */
import type { Profile } from '../gpu/profiler.ts';

const DEVICE = 1;
const JAVASCRIPT = 2;

/** @param profiles one a step; steps follow each other. Times in the file are microseconds. */
export function traceEvents(profiles: readonly Profile[], adapter: string): string {
  const process = (pid: number, name: string) => ({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name } });
  // The device's clock and JavaScript's are not the same: two processes, each from its own beginning.
  const events: object[] = [process(DEVICE, adapter), process(JAVASCRIPT, 'JavaScript (a clock of its own)')];
  let begin = 0;
  let recorded = 0;
  profiles.forEach(({ launches, javascript }, step) => {
    for (const { name, start, duration, workgroups, flops, bytes } of launches) {
      const rates = {
        ...(flops === undefined ? {} : { 'GFLOP/s': flops / duration / 1e6 }),
        'GB/s': bytes / duration / 1e6,
      };
      const args = {
        step,
        workgroups: workgroups.join('×'),
        bytes,
        ...(flops === undefined ? {} : { flops }),
        ...rates,
      };
      events.push({
        ph: 'X',
        name,
        cat: 'kernel',
        pid: DEVICE,
        tid: 0,
        ts: (begin + start) * 1000,
        dur: duration * 1000,
        args,
      });
    }
    events.push({
      ph: 'X',
      name: 'record',
      cat: 'javascript',
      pid: JAVASCRIPT,
      tid: 0,
      ts: recorded * 1000,
      dur: javascript * 1000,
      args: { step },
    });
    const last = launches.at(-1);
    begin += last ? last.start + last.duration : 0;
    recorded += javascript;
  });
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events })}\n`;
}
