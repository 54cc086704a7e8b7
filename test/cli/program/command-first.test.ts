import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandFirst } from '../../../src/cli/command-first.ts';
import { kubepki } from '../../support/kubepki.ts';
import { fixturePath } from '../../support/tree.ts';

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

describe('flags before the command', () => {
  for (const [typed, read] of [
    ['--rootfs A certs renew all', 'certs renew --rootfs=A all'],
    ['--rootfs=A certs renew all', 'certs renew --rootfs=A all'],
    ['certs --rootfs A renew all', 'certs renew --rootfs=A all'],
    [
      '--rootfs A certs --rootfs B check-expiration --rootfs C D',
      'certs check-expiration --rootfs=A --rootfs=B --rootfs C D',
    ],
    ['-v 5 certs renew', 'certs renew -v5'],
    ['-v5 --v=6 --v 7 csr list -o json', 'csr list -v5 --v=6 --v=7 -o json'],
    ['--rootfs A version', 'version --rootfs=A'],
    // A flag that takes a value takes whatever comes, as in Go.
    ['--rootfs certs renew all', 'renew all --rootfs=certs'],
  ] as const) {
    test(typed, () => {
      assert.deepEqual(commandFirst(words(typed)), words(read));
    });
  }

  for (const line of [
    '',
    'certs renew all --rootfs A',
    'certs renew all -- --rootfs A',
    '--version',
    '--help',
    'certs --help',
    'certs --no-color renew all --rootfs A',
    '--rootfs',
    'certs --rootfs',
    '-v',
  ]) {
    test(`as it is: ${line}`, () => {
      assert.deepEqual(commandFirst(words(line)), words(line));
    });
  }

  test('for every place the same answer', async () => {
    const root = fixturePath('ipv6', '');
    const at = ['--at', '2027-01-01T00:00:00Z'];
    const expected = await kubepki(['certs', 'check-expiration', '--rootfs', root, ...at]);
    assert.equal(expected.code, 0);
    for (const line of [
      ['--rootfs', root, 'certs', 'check-expiration'],
      [`--rootfs=${root}`, 'certs', 'check-expiration'],
      ['certs', '--rootfs', root, 'check-expiration'],
      ['-v', '5', 'certs', '-v=5', 'check-expiration', '-v5', '--rootfs', root],
    ]) {
      assert.deepEqual(await kubepki([...line, ...at]), expected, line.join(' '));
    }
    // kubeadm has the flag for every command.
    assert.equal((await kubepki(['--rootfs', root, 'certs', 'certificate-key'])).code, 0);
    assert.equal((await kubepki(['--rootfs', root, 'version'])).code, 0);
  });

  test('one that is wrong there is an error all the same', async () => {
    for (const line of [
      ['--rootfs', '', 'certs', 'renew', 'all'],
      ['--rootfs'],
      ['--config', 'x', 'certs', 'renew'],
    ]) {
      const { code, stdout, stderr } = await kubepki(line);
      assert.deepEqual([code, stdout], [1, ''], line.join(' '));
      assert.match(stderr, /^error: [^\n]+\nhint: [^\n]+\n$/);
    }
  });
});
