import { readFileSync } from 'node:fs';

/** The package's version, from the package.json that it was installed with. */
export function version(): string {
  const above = import.meta.url.includes('/dist/src/') ? '../../../package.json' : '../../package.json';
  return (JSON.parse(readFileSync(new URL(above, import.meta.url), 'utf8')) as { version: string }).version;
}
