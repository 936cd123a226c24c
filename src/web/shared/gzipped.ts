/**
 * A file of the site that lies there gzipped.
 * @throws {TypeError} when the server has it not, or cannot be reached.
 */
export async function fetchGzipped(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new TypeError(`${url} could not be fetched: ${response.status}.`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // A server that says the file is gzipped has had it unpacked.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}
