/** Every flag that takes a duration tells one that is too long from one that is not well-formed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const flags: readonly (readonly [command: string, flag: string, tooLong: string, longest: string])[] = [
  ['certs renew apiserver', '--validity', '999y', '291y, and no certificate outlives its CA'],
  ['certs renew apiserver', '--within', '292y', '291y'],
  ['certs renew apiserver', '--lock-timeout', '2562048h', '2562047h'],
  ['certs renew apiserver --restart', '--settle', '2562048h', '2562047h'],
  ['certs renew apiserver --use-api', '--timeout', '2562048h', '2562047h'],
  ['restart etcd', '--stop-timeout', '2562048h', '2562047h'],
  ['restart etcd', '--start-timeout', '2562048h', '2562047h'],
  ['certs check-expiration', '--within', '110000d', '291y'],
  ['certs check-expiration', '--warning', '999y', '291y'],
  ['certs check-expiration', '--critical', '999y', '291y'],
  ['certs generate all', '--validity', '2562048h', '291y, and no certificate outlives its CA'],
  ['systemd', '--randomized-delay', '999y', '291y'],
];

for (const [command, flag, tooLong, longest] of flags) {
  test(`${command} ${flag}`, async () => {
    const said = async (value: string): Promise<string> => {
      const { stdout, stderr, code } = await kubepki([
        ...command.split(' '),
        flag,
        value,
        '--rootfs',
        '/nonexistent',
      ]);
      assert.deepEqual([stdout, code], ['', 1]);
      return stderr;
    };
    const [long, malformed] = await Promise.all([said(tooLong), said('1year')]);
    assert.match(
      long,
      new RegExp(
        `^error: option '${flag} <duration>' argument '${tooLong}' is invalid\\. it is too long: at most ${longest}\\n`,
      ),
    );
    assert.match(malformed, /^error: .* is invalid\. use a duration such as \d/);
  });
}
