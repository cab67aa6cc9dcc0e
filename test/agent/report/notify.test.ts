import test from 'ava';
import { notifySystemd, statusOf } from '../../../src/agent/report/notify.js';

test('nothing is sent where no service manager asks for it', (t) => {
  notifySystemd({}, { warn: () => t.fail() })('READY=1');
  notifySystemd({ NOTIFY_SOCKET: '' }, { warn: () => t.fail() })('READY=1');
  t.pass();
});

test('a notification that cannot be sent is logged once and does no harm', (t) => {
  const warnings: unknown[] = [];
  const notify = notifySystemd(
    { NOTIFY_SOCKET: '/nonexistent/notify' },
    { warn: (fields: unknown) => warnings.push(fields) },
  );
  notify('READY=1');
  notify('WATCHDOG=1');
  t.deepEqual(warnings, [{ error: 'notify: No such file or directory' }]);
});

test('a status is one line that systemd takes, whatever the text', (t) => {
  t.is(statusOf('no uplink:\n  eth0 is down'), 'STATUS=no uplink: eth0 is down');
  t.true(statusOf('x'.repeat(10_000)).length < 1000);
});
