/** A Docker engine over its Unix socket: its HTTP API without a version in the path, which every engine answers. */
import { request } from 'node:http';
import { DockerError } from '../errors.js';
import { parseIpv4 } from '../net/ipv4.js';
import { parsePrefix } from '../net/prefix.js';
import type { Engine, EngineBridge, EngineState } from './engine.js';

/** An engine that starts accepts connections before it answers. */
const ANSWER_MS = 5_000;
const MOST_BYTES = 16 * 1024 * 1024;

/** The parts of the answers that are read (docs.docker.com/reference/api/engine). */
interface Version {
  readonly Version: string;
}
interface Info {
  readonly LiveRestoreEnabled: boolean;
  readonly ContainersRunning: number;
}
interface Network {
  readonly IPAM?: {
    readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null;
  };
  readonly Options?: Readonly<Record<string, string>> | null;
}

export class SocketEngine implements Engine {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async version(signal: AbortSignal): Promise<string> {
    return (await this.#get<Version>('/version', signal))!.Version;
  }

  async state(signal: AbortSignal): Promise<EngineState> {
    const [version, info, network] = await Promise.all([
      this.version(signal),
      this.#get<Info>('/info', signal),
      this.#get<Network>('/networks/bridge', signal),
    ]);
    return {
      version,
      bridge: network && bridgeOf(network),
      liveRestore: info!.LiveRestoreEnabled,
      containersRunning: info!.ContainersRunning,
    };
  }

  /** Undefined for what is not there. */
  async #get<Answer>(path: string, signal: AbortSignal): Promise<Answer | undefined> {
    const { status, body } = await this.#ask(path, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    if (status === 404 && path.startsWith('/networks/')) return undefined;
    try {
      if (status === 200) return JSON.parse(body) as Answer;
    } catch {
      // Told below.
    }
    throw new DockerError(
      `the engine at ${this.#path} answers ${path} with ${status}: ${body.slice(0, 200)}`,
    );
  }

  #ask(path: string, signal: AbortSignal): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error) =>
        reject(new DockerError(`no answer from the engine at ${this.#path}: ${cause.message}`, { cause }));
      const asked = request({ socketPath: this.#path, path, agent: false, signal }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          if (body.length > MOST_BYTES) response.destroy(new Error('the answer has no end'));
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.once('error', fail);
      });
      asked.once('error', fail);
      asked.end();
    });
  }
}

function bridgeOf({ IPAM, Options }: Network): EngineBridge {
  const pairs = (IPAM?.Config ?? []).map(({ Subnet = '', Gateway = '' }) => ({
    subnet: parsePrefix(Subnet),
    gateway: parseIpv4(Gateway),
  }));
  const found = pairs.find(({ subnet }) => subnet !== undefined);
  const mtu = Number(Options?.['com.docker.network.driver.mtu']);
  return {
    bip:
      found?.subnet && found.gateway !== undefined
        ? { address: found.gateway, length: found.subnet.length }
        : undefined,
    mtu: mtu > 0 ? mtu : undefined,
  };
}
