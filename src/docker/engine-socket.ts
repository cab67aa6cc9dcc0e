/** A Docker engine over its Unix socket: its HTTP API without a version in the path, which every engine answers. */
import { request } from 'node:http';
import { DockerError } from '../errors.js';
import type { JsonValue } from '../json.js';
import type { Engine, EngineState } from './engine.js';
import { bridgeIn, infoIn, versionIn } from './engine-answers.js';

/** An engine that starts accepts connections before it answers. */
const ANSWER_MS = 5_000;
const MOST_BYTES = 16 * 1024 * 1024;

export class SocketEngine implements Engine {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async version(signal: AbortSignal): Promise<string> {
    return (await this.#get('/version', versionIn, signal))!;
  }

  async state(signal: AbortSignal): Promise<EngineState> {
    const [version, info, bridge] = await Promise.all([
      this.version(signal),
      this.#get('/info', infoIn, signal),
      this.#get('/networks/bridge', bridgeIn, signal),
    ]);
    return { version, bridge, ...info! };
  }

  /** Undefined for what is not there. */
  async #get<Answer>(
    path: string,
    read: (answer: JsonValue) => Answer | undefined,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    const { status, body } = await this.#ask(path, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    if (status === 404 && path.startsWith('/networks/')) return undefined;
    const answer = status === 200 ? read(jsonOr(null, body)) : undefined;
    if (answer !== undefined) return answer;
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

function jsonOr(instead: JsonValue, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return instead;
  }
}
