/** The built-in methods, a line each: a new one is a file beside these, and a line here. */
export { bic } from './bic.ts';
export { der } from './der.ts';
export { derpp } from './derpp.ts';
export { fdkd } from './fdkd.ts';
export { finetune } from './finetune.ts';
export { foster } from './foster.ts';
export { icarl } from './icarl.ts';
export { joint } from './joint.ts';
export { kd } from './kd.ts';
export { lucir } from './lucir.ts';
export { lwf } from './lwf.ts';
export { podnet } from './podnet.ts';
export { rdkd } from './rdkd.ts';
export { replay } from './replay.ts';
export { ssil } from './ssil.ts';
export { tkd } from './tkd.ts';
export { wa } from './wa.ts';
