/** What a firewall holds at one moment. Rules are texts as the firewall prints them, without table and chain. */

export interface Chain {
  /** `ACCEPT` or `DROP`, of a chain that the kernel calls; undefined for those that rules jump to. */
  readonly policy?: string;
  readonly rules: readonly string[];
}

export type Table = ReadonlyMap<string, Chain>;
export type Ruleset = ReadonlyMap<string, Table>;

export const NOTHING: Ruleset = new Map();

export function rulesOf(ruleset: Ruleset, table: string, chain: string): readonly string[] {
  return ruleset.get(table)?.get(chain)?.rules ?? [];
}

/** Reads what iptables-save prints: `*table`, `:CHAIN policy [packets:bytes]`, `-A CHAIN rule`, `COMMIT`. */
export function parseIptablesSave(text: string): Ruleset {
  const tables = new Map<string, Map<string, { policy?: string; rules: string[] }>>();
  let chains = new Map<string, { policy?: string; rules: string[] }>();
  for (const line of text.split('\n')) {
    const [, mark, name, rest = ''] = /^(\*|:|-A )(\S+) ?(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (mark === '*') {
      chains = new Map();
      tables.set(name, chains);
    } else if (mark === ':') {
      const policy = rest.split(' ', 1)[0]!;
      chains.set(name, policy === '-' ? { rules: [] } : { policy, rules: [] });
    } else {
      chains.get(name)?.rules.push(rest);
    }
  }
  return tables;
}

/** Handles of an nftables table's rules, by chain, in the order of the rules. */
export type Handles = ReadonlyMap<string, readonly number[]>;

/** Reads what `nft -a list table` prints; nested blocks, as of sets, are passed over. */
export function parseNftTable(text: string): { table: Table; handles: Handles } {
  const table = new Map<string, { rules: string[] }>();
  const handles = new Map<string, number[]>();
  let chain: string | undefined;
  for (const line of text.split('\n')) {
    const opened = /^\tchain (\S+) \{/.exec(line)?.[1];
    if (opened !== undefined) {
      chain = opened;
      table.set(chain, { rules: [] });
      handles.set(chain, []);
    } else if (/^\t\}/.test(line)) chain = undefined;
    const [, rule, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
    if (chain === undefined || rule === undefined) continue;
    table.get(chain)!.rules.push(rule);
    handles.get(chain)!.push(Number(handle));
  }
  return { table, handles };
}
