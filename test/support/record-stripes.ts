/** Writes the ONNX model of the page Embed: `npm run -s build:test && node .build/test/support/record-stripes.js`. */
import { writeFile } from 'node:fs/promises';
import { STRIPES_FILE, stripesModel } from './stripes-model.ts';

await writeFile(STRIPES_FILE, stripesModel());
