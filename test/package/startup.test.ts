/** What a program loads before it knows what it was asked for. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Packages that a compiled file loads as it is loaded itself, by what it imports and what those files do. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  // The compiler leaves imports of types out.
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)(?:\s[^;']*?\sfrom)?\s*'([^']+)';$/gm,
  )) {
    if (specifier!.startsWith('.')) {
      for (const name of packagesOf(resolve(dirname(file), specifier!), seen)) packages.add(name);
    } else if (!specifier!.startsWith('node:')) packages.add(specifier!);
  }
  return packages;
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'cmd/lodend.js': ['commander', 'pino', 'ipaddr.js'],
  'cmd/loden.js': ['commander', 'ipaddr.js'],
};

for (const [program, allowed] of Object.entries(ALLOWED)) {
  test(`${program} answers a question for its version without loading what only its work needs`, (t) => {
    const packages = [...packagesOf(resolve(ROOT, program))];
    t.true(packages.includes('commander'));
    t.deepEqual(
      packages.filter((name) => !allowed.includes(name)),
      [],
    );
  });
}

test('what the work needs is found by this, where it is loaded at once', (t) => {
  t.true(packagesOf(resolve(ROOT, 'src/lease/etcd-store.js')).has('etcd3'));
});

for (const [what, file] of [
  ['the firewall', 'src/firewall/host/host-firewall.js'],
  ['daemon.json', 'cmd/lodend/docker.js'],
] as const)
  test(`${what}, which comes before ready, waits for no library that runs programs`, (t) => {
    t.false(packagesOf(resolve(ROOT, file)).has('execa'));
  });
