import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. This file is `src/package-root.ts`, or `dist/src/package-root.js` once compiled. */
export function packageRoot(): string {
  const above = dirname(dirname(fileURLToPath(import.meta.url)));
  return above.endsWith('/dist') ? dirname(above) : above;
}
