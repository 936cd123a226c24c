/** What a worker tells of what ended its work. */
import { EngramError } from 'engram';

/** For programs, `unknown` where it is none of the engine's; and for people. */
export const failureOf = (error: unknown): { readonly code: string; readonly message: string } => ({
  code: error instanceof EngramError ? error.code : 'unknown',
  message: error instanceof Error ? error.message : String(error),
});
