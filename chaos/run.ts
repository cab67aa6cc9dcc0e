import { type Footprint, growth } from './footprint.js';
import type { ChaosReport } from './report.js';
import { Rig } from './rig.js';
import { type RoundReport, runRound } from './round.js';
import { rounds } from './schedule.js';

export interface RunOptions {
  readonly seed: number;
  readonly minutes: number;
  /** At most. */
  readonly rounds: number;
  readonly backend: string;
}

/** Sets the network up, breaks it round by round until time is up or a promise broken, and takes it down. */
export async function run(
  options: RunOptions,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<ChaosReport> {
  const { seed, minutes, backend } = options;
  const began = performance.now();
  const secondsSoFar = () => Math.round((performance.now() - began) / 1000);
  say(`seed ${seed}, ${backend}`);
  const rig = await Rig.up(backend, signal);
  const done: RoundReport[] = [];
  try {
    for (const round of rounds(seed)) {
      if (round.number > options.rounds || secondsSoFar() >= minutes * 60) break;
      const report = await runRound(rig, round, signal);
      done.push(report);
      say(tell(report, secondsSoFar()));
      // A network that is broken would only break again.
      if (report.secondsUntilWhole === undefined) break;
    }
    const violations = [
      ...done.flatMap((report) => report.violations),
      ...grown(done),
      ...(await planned(rig)),
    ];
    return { seed, backend, seconds: secondsSoFar(), rounds: done, violations };
  } finally {
    await rig.lab.down();
  }
}

function tell(
  { number, events, secondsUntilWhole, pings, violations, logs }: RoundReport,
  seconds: number,
): string {
  const whole = secondsUntilWhole === undefined ? 'never' : `after ${secondsUntilWhole.toFixed(1)} s`;
  const lost = pings === undefined ? '' : `, ${pings.lost} of ${pings.sent} pings lost`;
  return [
    `${String(seconds).padStart(4)} s  round ${number}: whole ${whole}${lost}`,
    ...events.map((event) => `          ${event}`),
    ...violations.map((violation) => `        ! ${violation}`),
    ...(logs === undefined ? [] : [logs]),
  ].join('\n');
}

function grown(done: readonly RoundReport[]): string[] {
  const readings = new Map<string, Footprint[]>();
  for (const { footprints } of done)
    for (const [who, footprint] of Object.entries(footprints))
      readings.set(who, [...(readings.get(who) ?? []), footprint]);
  return [...readings].flatMap(([who, values]) => growth(who, values));
}

/** What `loden plan` would still change, by the daemons' own parts; what leases mean was compared by ours before. */
async function planned({ lab }: Rig): Promise<string[]> {
  const perHost = lab.hosts.map(async ({ name, namespace, daemon }) => {
    const plan = await lab.lodenIn(namespace, 'plan', '--subnet-file', daemon.subnetFile).catch(String);
    return plan === '' ? [] : [`${name}: loden plan would change\n${plan}`];
  });
  return (await Promise.all(perHost)).flat();
}
