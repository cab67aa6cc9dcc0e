/**
 * The first life's beginning: etcd's config and a lease from there; or, when etcd is silent for a moment or refuses, the
 * last known state, as long as the lease in it cannot have expired. Else etcd is waited for.
 */
import { StoreDeniedError, StoreUnavailableError } from '../errors.js';
import { acquire } from '../lease/acquire.js';
import { systemClock } from '../lease/clock.js';
import type { AgentPorts } from './agent.js';
import { type Silence, silenceOf } from './contact.js';
import { type Ground, groundFromEtcd, groundFromState, withRemembered } from './ground.js';
import { areMany } from './peers/missing-peers.js';
import { type Failure, persist } from './persist.js';
import { leaseAge } from './state/lease-age.js';
import { currentMoment } from './state/moment.js';
import { countOfState, type KnownState } from './state/state-file.js';
import { leaseAttributes, type Marks, type Survey, surveyHost } from './survey.js';

/** Is told what is waited for, and why. */
export type Tell = (reason: string) => void;

export interface BeginningInput extends AgentPorts {
  readonly marks: Marks;
  readonly configSource: string;
  /** The last known state, if there is one of this network. With thousands of leases it takes a moment, and memory. */
  readonly readState: () => Promise<KnownState | undefined>;
  readonly tell: Tell;
}

export interface Beginning {
  readonly configText: string;
  readonly survey: Survey;
  readonly ground: Ground;
  /** Why etcd was not asked; undefined when it was. */
  readonly silence?: Silence;
}

/** Rejects with ConfigError, UplinkError, or the signal's reason. */
export async function begin(input: BeginningInput, signal: AbortSignal): Promise<Beginning> {
  const { tell, log } = input;
  const found = await config(input, signal);
  if ('state' in found) return beginFrom(found, input, signal);
  const configText = found.text;
  const survey = await surveyFirst(input, configText, signal);
  let before: KnownState | undefined;
  // A reboot clears the subnet file away, and the state stays.
  const previousSubnet = survey.previousSubnet ?? (await input.readState())?.lease.subnet;
  const once = (until: AbortSignal) =>
    attempt(input, { ...survey, previousSubnet }, until).catch(async (error: unknown) => {
      before ??= await input.readState();
      throw error;
    });
  const ground = await persist<Ground | Fallback>(once, {
    waitingFor: 'a lease',
    absent: '',
    instead: (failure) => {
      const usable = before?.configText === configText && !mayBeCopied(before, survey);
      return usable && isOutage(failure) ? fallback(before, failure) : undefined;
    },
    tell,
    log,
    signal,
  });
  return 'state' in ground ? { ...startFrom(ground, input), survey } : { configText, survey, ground };
}

/** What there is to begin with is read when etcd does not answer at once. */
const PATIENCE_MS = 500;

async function config(
  { store, log, tell, configSource, readState }: BeginningInput,
  signal: AbortSignal,
): Promise<{ readonly text: string } | Fallback> {
  let known: KnownState | undefined;
  let reading: Promise<void> | undefined;
  const read = () => {
    reading ??= readState().then((state) => {
      known = state;
    });
    return reading;
  };
  const late = setTimeout(read, PATIENCE_MS);
  const attempt = async (until: AbortSignal) => {
    const text = await store.readConfig(until).catch(async (error: unknown) => {
      await read();
      throw error;
    });
    if (text !== undefined) return { text };
    await read();
    return undefined;
  };
  return persist<{ readonly text: string } | Fallback>(attempt, {
    waitingFor: 'etcd and the network config',
    absent: `there is no ${configSource} yet; write it with: loden config set FILE`,
    instead: (failure) => fallback(known, failure),
    tell,
    log,
    signal,
  }).finally(() => clearTimeout(late));
}

/** A subnet for a host that has none, or none any more. Waits for etcd, whatever was known before. */
export function acquireGround(input: BeginningInput, survey: Survey, signal: AbortSignal): Promise<Ground> {
  const { log } = input;
  const once = (until: AbortSignal) => attempt(input, survey, until);
  return persist(once, { waitingFor: 'a lease', absent: '', log, signal });
}

async function attempt(
  { options, store, log, marks, readState }: BeginningInput,
  survey: Survey,
  signal: AbortSignal,
): Promise<Ground> {
  const asked = currentMoment();
  const ttlSeconds = options.subnetLeaseTtlSeconds;
  const acquired = await acquire({
    ...survey,
    store,
    host: { publicIp: survey.uplink.publicIp, ...marks },
    attributesFor: (subnet) => leaseAttributes(survey, subnet, marks),
    ttlSeconds,
    random: Math.random,
    clock: systemClock,
    log: log.child({ component: 'lease' }),
    signal,
  });
  const ground = groundFromEtcd(acquired, ttlSeconds, asked);
  const known = await countOfState(options.stateDir);
  const before = areMany(known - ground.snapshot.leases.size, known) ? await readState() : undefined;
  return before ? withRemembered(ground, before) : ground;
}

/** What to begin with instead of etcd, and why. */
interface Fallback {
  readonly state: KnownState;
  readonly silence: Silence;
  readonly secondsLeft: number;
}

function fallback(
  state: KnownState | undefined,
  { reason, error }: Failure,
): { readonly value: Fallback } | { readonly reason: string } | undefined {
  if (!state) return undefined;
  const age = leaseAge(state.renewed, state.ttlSeconds, currentMoment());
  if (age.kind === 'doubtful') return { reason: `the last known state is of no use, as ${age.reason}` };
  const silence = error ? silenceOf(error) : { reason, refused: false };
  return { value: { state, silence, secondsLeft: age.secondsLeft } };
}

function isOutage({ error }: Failure): boolean {
  return error instanceof StoreUnavailableError || error instanceof StoreDeniedError;
}

async function beginFrom(found: Fallback, input: BeginningInput, signal: AbortSignal): Promise<Beginning> {
  const { lease, configText } = found.state;
  const survey = await surveyFirst(input, configText, signal);
  if (!mayBeCopied(found.state, survey)) return { ...startFrom(found, input), survey };
  input.log.warn(
    { publicIp: survey.uplink.publicIp, was: lease.attributes.publicIp },
    'the last known state may be that of a machine that this one is a copy of, so it is not used',
  );
  return begin({ ...input, readState: async () => undefined }, signal);
}

/** As far as can be told without etcd: a machine has its disk's content, but neither its address nor its boot. */
function mayBeCopied({ renewed, lease }: KnownState, { uplink }: Survey): boolean {
  return renewed.bootId !== currentMoment().bootId && lease.attributes.publicIp !== uplink.publicIp;
}

function startFrom({ state, silence, secondsLeft }: Fallback, { log }: BeginningInput) {
  log.warn(
    { reason: silence.reason, leaseSecondsLeft: secondsLeft },
    'starting from the last known state, without etcd',
  );
  return { configText: state.configText, ground: groundFromState(state), silence };
}

async function surveyFirst(input: BeginningInput, configText: string, signal: AbortSignal): Promise<Survey> {
  const { options, kernel, log, configSource } = input;
  const { subnetFile } = options;
  const survey = await surveyHost({ configText, configSource, request: options, subnetFile, kernel, signal });
  for (const warning of survey.warnings) log.warn(warning);
  log.info(survey.uplinkChoice);
  return survey;
}
