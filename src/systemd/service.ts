/** Fits the unit to a host: where Node and the package are, and what of the sandbox would hide them. */

export interface Program {
  /** Absolute paths. */
  readonly node: string;
  readonly lodend: string;
}

export interface FittedService {
  readonly text: string;
  /** What the operator should know about these paths. */
  readonly warnings: readonly string[];
}

/** Settings that make folders invisible, and what to use instead when the program lies in one. */
const HIDING = [
  { setting: 'ProtectHome', folders: ['/home/', '/root/', '/run/user/'], instead: 'read-only' },
  { setting: 'PrivateTmp', folders: ['/tmp/', '/var/tmp/'], instead: 'no' },
] as const;

export function fitService(unit: string, program: Program): FittedService {
  const paths = [program.node, program.lodend];
  let text = replaceSetting(unit, 'ExecStart', paths.map(word).join(' '));
  const warnings: string[] = [];
  for (const { setting, folders, instead } of HIDING) {
    const hidden = paths.filter((path) => folders.some((folder) => path.startsWith(folder)));
    if (hidden.length === 0) continue;
    text = replaceSetting(text, setting, instead);
    warnings.push(
      `${hidden.join(' and ')} may go away with a user or a clean-up, and needs ${setting}=${instead} in the unit; ` +
        'better install Node and loden for all users: npm install --global loden',
    );
  }
  if (paths.some((path) => path.includes('/_npx/')))
    warnings.push(
      `${program.lodend} is in npx's cache, which npm may empty; better: npm install --global loden, then loden install-unit`,
    );
  return { text, warnings };
}

function replaceSetting(unit: string, setting: string, value: string): string {
  const line = new RegExp(`^${setting}=.*$`, 'm');
  if (!line.test(unit)) throw new TypeError(`the unit has no ${setting}=`);
  return unit.replace(line, () => `${setting}=${value}`);
}

/** As systemd.syntax(7) and systemd.service(5) want it: `%` and `$` mean something, and blanks separate. */
function word(path: string): string {
  const escaped = path.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(path) ? `"${escaped.replaceAll(/[\\"]/g, '\\$&')}"` : escaped;
}
