/** What an engine reports, and to whom. */
export interface RuntimeOptions {
  /** Report tensors that were dropped instead of freed. */
  debug?: boolean;
  /** Where debug reports go; the console by default. */
  onLeak?: (message: string) => void;
  /** Where warnings go; the console by default. */
  warn?: (message: string) => void;
}

/** Where reports go by default. */
export const warnOnConsole = (message: string): void => console.warn(message);
