/** What the build takes from the sources to read WGSL; this Node may not run TypeScript as it stands. */
export { importLines } from '../gpu/wgsl/import-lines.ts';
export { linkWgsl } from '../gpu/wgsl/link-wgsl.ts';
export { entriesOf } from '../gpu/wgsl/reflect.ts';
export { withSlots } from './slot-kernel.ts';
