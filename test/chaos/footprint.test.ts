import test from 'ava';
import { footprintOf, growth } from '../../chaos/footprint.js';

const readings = (memoryMb: readonly number[], descriptors = 30) =>
  memoryMb.map((value) => ({ memoryMb: value, descriptors }));

test('what grows all the time is told, with its readings', (t) => {
  const grows = Array.from({ length: 12 }, (_, index) => 80 + 5 * index);
  t.deepEqual(growth('h1 7', readings(grows)), [`h1 7 grows: memoryMb ${grows.join(', ')}`]);
  const descriptors = grows.map((value) => ({ memoryMb: 80, descriptors: value }));
  t.deepEqual(growth('h1 7', descriptors), [`h1 7 grows: descriptors ${grows.join(', ')}`]);
});

test('what goes up and down, and what is seen too seldom, is no growth', (t) => {
  t.deepEqual(growth('h1 7', readings([80, 120, 90, 130, 85, 125, 95, 140, 84, 150])), []);
  t.deepEqual(growth('h1 7', readings([80, 200, 300])), []);
  t.deepEqual(growth('h1 7', []), []);
});

test('a process has memory and descriptors, and none when it has ended', async (t) => {
  const own = await footprintOf(process.pid);
  t.true(own!.memoryMb > 10 && own!.descriptors > 2);
  t.is(await footprintOf(2 ** 22 + 1), undefined);
});
