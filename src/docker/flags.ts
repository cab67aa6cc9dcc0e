/** The flags of dockerd that meet our settings, read from lists of words as dockerd itself would read them. */

/** By their names in daemon.json. */
const WATCHED = [
  'bip',
  'mtu',
  'ip-masq',
  'allow-direct-routing',
  'bridge',
  'fixed-cidr',
  'default-gateway',
  'config-file',
] as const;
export type WatchedFlag = (typeof WATCHED)[number];

export interface DockerFlag {
  readonly name: WatchedFlag;
  /** As written; `true` for a boolean without one. */
  readonly value: string;
  /** Where it was found, for people: `DOCKER_OPTS in /etc/default/docker`. */
  readonly source: string;
}

const BOOLEANS: readonly string[] = ['ip-masq', 'allow-direct-routing'] satisfies readonly WatchedFlag[];

/** `words` follow the program's name, or are a variable's value split at blanks. */
export function findFlags(words: readonly string[], source: string): DockerFlag[] {
  const flags: DockerFlag[] = [];
  for (const [index, word] of words.entries()) {
    if (word === '--') break;
    const match = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(word) ?? shortBridge(word);
    const name = WATCHED.find((watched) => watched === match?.[1]);
    if (name === undefined) continue;
    const next = BOOLEANS.includes(name) ? 'true' : (words[index + 1] ?? '');
    flags.push({ name, value: match?.[2] ?? next, source });
  }
  return flags;
}

/** `-b br0`, `-b=br0`, `-bbr0` */
function shortBridge(word: string): readonly (string | undefined)[] | undefined {
  const match = /^-b=?(.*)$/s.exec(word);
  return match ? [word, 'bridge', match[1] || undefined] : undefined;
}
