/** What methods and networks may be called: runs and files are. */

/** As a folder or a file can be called, and no path. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._+-]*$/u;

export const isName = (text: string): boolean => NAME.test(text);
