/** A file that was handed to the page: `replay/checkpoint.safetensors`. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What was chosen in an input, which is empty again: the same files may be chosen once more. */
export function takenFiles({ target }: Event): File[] {
  const input = target as HTMLInputElement;
  const files = [...(input.files ?? [])];
  input.value = '';
  return files;
}

/** The same with their bytes. */
export const chosenFiles = (event: Event): Promise<GivenFile[]> =>
  Promise.all(
    takenFiles(event).map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
