/**
 * What a lab leaves behind for other programs: its directory claims its name, its namespaces have names made of it,
 * and `lab.json` tells what is in it. Taking a lab down needs the names alone, so it also works after a crash.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { LabError } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import type { JsonValue } from '../json.js';
import { Namespace } from './namespace.js';

export const LABS = '/run/loden-lab';

export interface LabRecord {
  readonly name: string;
  /** The network config as it was put into etcd. */
  readonly config: Readonly<Record<string, JsonValue>>;
  readonly etcd: { readonly endpoint: string; readonly prefix: string };
  readonly hosts: readonly HostRecord[];
}

export interface HostRecord {
  /** `h1` */
  readonly name: string;
  readonly address: string;
  readonly daemon?: { readonly kind: string; readonly pid: number; readonly startTime: string };
  /** `c1` */
  readonly container?: { readonly name: string; readonly address: string };
}

export function labDirectory(name: string): string {
  return `${LABS}/${name}`;
}

/** `part` is `wire`, `h1` or `c1`. */
export function labNamespace(name: string, part: string): Namespace {
  return new Namespace(`loden-${name}-${part}`);
}

/** Takes the name for a new lab. Throws LabError when it is not a name or taken. */
export async function claimLab(name: string): Promise<void> {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name))
    throw new LabError(
      `${JSON.stringify(name)} cannot be a lab's name: use lower-case letters, digits and hyphens`,
    );
  await mkdir(LABS, { recursive: true });
  await mkdir(labDirectory(name)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new LabError(
      `a lab named ${name} is there already: \`loden lab down --name ${name}\` takes it down`,
    );
  });
}

/** Written whole, so that a reader never sees half of it. */
export async function writeRecord(record: LabRecord): Promise<void> {
  await writeWhole(
    `${labDirectory(record.name)}/lab.json`,
    `${JSON.stringify(record, undefined, 2)}\n`,
    0o644,
  );
}

/** Throws LabError when there is no such lab. */
export async function readRecord(name: string): Promise<LabRecord> {
  const text = await readFile(`${labDirectory(name)}/lab.json`, 'utf8').catch((cause) => {
    throw new LabError(`no lab named ${name} is up: \`loden lab up --name ${name}\` makes it`, { cause });
  });
  return JSON.parse(text) as LabRecord;
}
