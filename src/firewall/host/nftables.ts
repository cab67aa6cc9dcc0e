import { FirewallError } from '../../errors.js';
import type { Step } from '../difference.js';
import { NFT_TABLE, nftText } from '../nftables-plan.js';
import { type Handles, parseNftTable, type Table } from '../ruleset.js';
import { run } from './run.js';

export interface NftTable {
  readonly table: Table;
  readonly handles: Handles;
}

const EMPTY: NftTable = { table: new Map(), handles: new Map() };

/** Our table as it is; empty when there is none. Throws FirewallError. */
export async function readNftTable(signal: AbortSignal): Promise<NftTable> {
  try {
    return parseNftTable(await run(['nft', '-a', 'list', 'table', ...NFT_TABLE.split(' ')], signal));
  } catch (error) {
    if (error instanceof FirewallError && /No such file or directory/.test(error.message)) return EMPTY;
    throw error;
  }
}

export async function changeNftTable(
  steps: readonly Step[],
  { table, handles }: NftTable,
  signal: AbortSignal,
): Promise<void> {
  await run(['nft', '-f', '-'], signal, nftText(steps, table, handles));
}

/** Whether Docker has its rules in nftables itself, as 29 and later can: then iptables shows nothing of them. */
export async function hasDockerInNftables(signal: AbortSignal): Promise<boolean> {
  return /^table ip docker-bridges$/m.test(await run(['nft', 'list', 'tables'], signal));
}
