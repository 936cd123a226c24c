/** How this command was called, for advice that can be typed as it stands. */
import { basename, relative } from 'node:path';

export function ownName(): string {
  const script = process.argv[1] ?? 'engram';
  return script.endsWith('.js') ? `node ${relative(process.cwd(), script)}` : basename(script);
}
