import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

test('an unknown group of faults is refused with the list of those there are, which the help has too', async (t) => {
  const { exitCode, stderr } = await execa(process.execPath, [MAIN, 'etdc'], { reject: false });
  t.is(exitCode, 2);
  t.regex(stderr, /^there is no group etdc; there is: etcd, access, /);
  t.regex((await execa(process.execPath, [MAIN, '--help'])).stdout, /: etcd, access, /);
});
