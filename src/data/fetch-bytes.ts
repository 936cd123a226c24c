/** Files by their addresses. */
import { DataError } from '../errors.ts';

export const isUrl = (path: string): boolean => /^(https?|blob|data):/.test(path);

/** For errors: an address that holds the file itself is cut short. */
export const shownUrl = (url: string): string => (url.startsWith('data:') ? `${url.slice(0, 40)}…` : url);

/** Many servers answer with a page of theirs, and 200, for whatever they do not have. */
export const isPage = (response: Response): boolean =>
  /^text\/html\b/i.test(response.headers.get('content-type') ?? '');

/** @throws {DataError} when there is no answer, or another one than a file. */
export async function fetchBytes(
  url: string,
  fix = 'Check the address, and that its server allows this page to read it.',
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url);
    const status = `${response.status} ${response.statusText}`.trim();
    if (!response.ok) throw new Error(`the server answered ${status}`);
    if (isPage(response)) throw new Error(`the server answered ${status} with a web page instead of data`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
    throw new DataError({ where: shownUrl(url), message: `cannot fetch this file: ${reason}.`, fix, cause: error });
  }
}
