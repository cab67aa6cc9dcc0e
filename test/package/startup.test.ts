/** What a program loads before it knows what it was asked for. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

// The compiler leaves imports of types out.
const IMPORT = /^(?:import|export)(?:\s[^;']*?\sfrom)?\s*'([^']+)';$/gm;
const REQUIRE = /\bcommonJs\('([^']+)'\)/g;

/** Packages that a compiled file loads as it is loaded itself, and how, by what it imports and what those files do. */
function loadedBy(file: string, seen = new Set<string>()) {
  const [imported, required] = [new Set<string>(), new Set<string>()];
  if (seen.has(file)) return { imported, required };
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, specifier] of text.matchAll(REQUIRE)) required.add(packageOf(specifier!));
  for (const [, specifier] of text.matchAll(IMPORT)) {
    if (specifier!.startsWith('.')) {
      const more = loadedBy(resolve(dirname(file), specifier!), seen);
      for (const name of more.imported) imported.add(name);
      for (const name of more.required) required.add(name);
    } else if (!specifier!.startsWith('node:')) imported.add(packageOf(specifier!));
  }
  return { imported, required };
}

/** `etcd3` for `etcd3/lib/rpc.js`, `@grpc/grpc-js` for itself. */
function packageOf(specifier: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];
}

function packagesOf(file: string): Set<string> {
  const { imported, required } = loadedBy(file);
  return new Set([...imported, ...required]);
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

test('of packages, what the daemon needs for its start is required: an import would read each twice', (t) => {
  const files = ['cmd/lodend.js', 'src/agent/agent.js', 'src/lease/etcd-store.js', 'src/net/ipv6.js'];
  const loaded = files.map((file) => loadedBy(resolve(ROOT, file)));
  t.deepEqual(
    loaded.flatMap(({ imported }) => [...imported]),
    [],
  );
  t.true(loaded.some(({ required }) => required.has('@grpc/grpc-js')));
});

for (const [what, file] of [
  ['the firewall', 'src/firewall/host/host-firewall.js'],
  ['daemon.json', 'cmd/lodend/docker.js'],
] as const)
  test(`${what}, which comes before ready, waits for no library that runs programs`, (t) => {
    t.false(packagesOf(resolve(ROOT, file)).has('execa'));
  });
