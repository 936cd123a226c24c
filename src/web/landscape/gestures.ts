/** Turning and coming nearer by mouse, touch, wheel and keys. */

/** @param factor of the distance; 1 for none. */
type Turn = (yaw: number, pitch: number, factor: number) => void;

/** Radians a pixel of the page. */
const PER_PIXEL = 0.008;
const PER_KEY = 0.1;
const NEARER = 0.9;

const KEYS: Readonly<Record<string, readonly [yaw: number, pitch: number, factor: number]>> = {
  ArrowLeft: [-PER_KEY, 0, 1],
  ArrowRight: [PER_KEY, 0, 1],
  ArrowUp: [0, PER_KEY, 1],
  ArrowDown: [0, -PER_KEY, 1],
  '+': [0, 0, NEARER],
  '=': [0, 0, NEARER],
  '-': [0, 0, 1 / NEARER],
};

/** Listens on an element for as long as it is there. */
export function handle(element: HTMLElement, turn: Turn): void {
  const held = new Map<number, PointerEvent>();
  /** Between two fingers. */
  const spread = () => {
    const [a, b] = [...held.values()];
    return a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
  };
  element.addEventListener('pointerdown', (event) => {
    element.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
  });
  element.addEventListener('pointermove', (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const apart = spread();
    held.set(event.pointerId, event);
    if (held.size === 1) {
      turn((before.clientX - event.clientX) * PER_PIXEL, (event.clientY - before.clientY) * PER_PIXEL, 1);
    } else if (apart > 0 && spread() > 0) turn(0, 0, apart / spread());
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    element.addEventListener(end, ({ pointerId }) => held.delete(pointerId));
  }
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      turn(0, 0, Math.exp(event.deltaY * 0.001));
    },
    { passive: false },
  );
  element.addEventListener('keydown', (event) => {
    const move = KEYS[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    turn(...move);
  });
}
