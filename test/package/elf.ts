/** Reads of an ELF file what tells where it can be loaded; the format is in elf(5). 64 bit, little-endian only. */
import { readFile } from 'node:fs/promises';

/** `e_machine` */
const MACHINES: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' };
/** `sh_type`: SHT_GNU_verneed */
const VERSIONS_NEEDED = 0x6ffffffe;

export interface Elf {
  readonly machine: string | undefined;
  /** Versions of symbols asked for, `GLIBC_2.17`. */
  readonly versions: readonly string[];
}

export async function readElf(path: string): Promise<Elf> {
  const file = await readFile(path);
  if (file.toString('latin1', 0, 6) !== '\x7fELF\x02\x01')
    throw new TypeError(`${path} is no 64-bit ELF file`);
  return { machine: MACHINES[file.readUInt16LE(18)], versions: versionsNeeded(file) };
}

interface Section {
  readonly type: number;
  readonly offset: number;
  /** The index of its table of strings. */
  readonly link: number;
}

function versionsNeeded(file: Buffer): string[] {
  const all = sections(file);
  const needed = all.find(({ type }) => type === VERSIONS_NEEDED);
  if (needed === undefined) return [];
  const strings = all[needed.link]!.offset;
  const text = (at: number) => file.toString('latin1', strings + at, file.indexOf(0, strings + at));
  const versions: string[] = [];
  // A Verneed for each library, each with a chain of Vernaux; offsets are relative, and 0 ends a chain.
  for (let entry = needed.offset, next = -1; next !== 0; entry += next) {
    next = file.readUInt32LE(entry + 12);
    let version = entry + file.readUInt32LE(entry + 8);
    for (let left = file.readUInt16LE(entry + 2); left > 0; left--) {
      versions.push(text(file.readUInt32LE(version + 8)));
      version += file.readUInt32LE(version + 12);
    }
  }
  return versions;
}

function sections(file: Buffer): Section[] {
  const table = Number(file.readBigUInt64LE(0x28));
  const [size, count] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)];
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 0x18)),
      link: file.readUInt32LE(at + 0x28),
    };
  });
}
