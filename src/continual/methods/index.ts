/** The built-in methods. */
import type { AnyMethod } from '../method.ts';
import { bic } from './bic.ts';
import { der } from './der.ts';
import { derpp } from './derpp.ts';
import { fdkd } from './fdkd.ts';
import { finetune } from './finetune.ts';
import { foster } from './foster.ts';
import { icarl } from './icarl.ts';
import { joint } from './joint.ts';
import { kd } from './kd.ts';
import { lucir } from './lucir.ts';
import { lwf } from './lwf.ts';
import { podnet } from './podnet.ts';
import { rdkd } from './rdkd.ts';
import { replay } from './replay.ts';
import { ssil } from './ssil.ts';
import { tkd } from './tkd.ts';
import { wa } from './wa.ts';

export const METHOD_NAMES = [
  'finetune',
  'joint',
  'replay',
  'kd',
  'tkd',
  'fdkd',
  'rdkd',
  'lwf',
  'icarl',
  'bic',
  'lucir',
  'wa',
  'podnet',
  'der',
  'ssil',
  'derpp',
  'foster',
] as const;

export type MethodName = (typeof METHOD_NAMES)[number];

/** The built-in methods by name. A method of one's own is an object of the same shape, handed to the learner. */
export const methods: Readonly<Record<MethodName, AnyMethod>> = {
  finetune,
  joint,
  replay,
  kd,
  tkd,
  fdkd,
  rdkd,
  lwf,
  icarl,
  bic,
  lucir,
  wa,
  podnet,
  der,
  ssil,
  derpp,
  foster,
};
