/** A file that was handed to the page: `replay/checkpoint.safetensors`. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What was chosen in an input, which is empty again: the same files may be chosen once more. */
export async function chosenFiles({ target }: Event): Promise<GivenFile[]> {
  const input = target as HTMLInputElement;
  const files = [...(input.files ?? [])];
  input.value = '';
  return Promise.all(files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })));
}
