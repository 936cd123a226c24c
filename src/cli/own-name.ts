/** How this command was called, for advice that can be typed as it stands. */
import { basename, relative } from 'node:path';

/** The whole command as it was called, to be called again. */
export const ownCommand = (): string => [ownName(), ...process.argv.slice(2)].join(' ');

export function ownName(): string {
  const script = process.argv[1] ?? 'engram';
  return script.endsWith('.js') ? `node ${relative(process.cwd(), script)}` : basename(script);
}
