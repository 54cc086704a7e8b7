import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import {
  isAllowed,
  parseAllowedCidr,
  parseAllowedDns,
} from '../../../src/operations/kubelet-serving/allow-list.ts';
import { hostOf } from '../../../src/operations/kubelet-serving/surroundings.ts';
import fc from '../../support/properties.ts';

const dnsAllows = (pattern: string, name: string): boolean =>
  isAllowed(hostOf(name), { cidrs: [], dns: [parseAllowedDns(pattern)] });
const cidrAllows = (cidr: string, address: string): boolean =>
  isAllowed(hostOf(address), { cidrs: [parseAllowedCidr(cidr)], dns: [] });
const isRefused = (parse: () => unknown): boolean => {
  try {
    parse();
    return false;
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    assert.equal(error.code, 'usage');
    assert.ok(error.hint !== undefined);
    return true;
  }
};

describe('--allow-dns', () => {
  const cases: readonly [pattern: string, allowed: readonly string[], not: readonly string[]][] = [
    [
      'example.internal',
      ['example.internal', 'a.example.internal', 'a.b.EXAMPLE.internal'],
      ['badexample.internal', 'example.internal.org', 'internal', 'example'],
    ],
    [
      '.example.internal',
      ['a.example.internal', 'a.b.example.internal'],
      ['example.internal', 'aexample.internal'],
    ],
    [
      'node-*.example.com',
      ['node-1.example.com', 'node-a-b.example.com'],
      [
        'node-1.a.example.com',
        'xnode-1.example.com',
        'a.node-1.example.com',
        'node-1.example.com.org',
        'node-1',
      ],
    ],
    ['node-*', ['node-1', 'NODE-22'], ['node-1.example.com', 'a.node-1', 'node']],
    ['*.example.com', ['a.example.com'], ['a.b.example.com', 'example.com']],
    ['n*1*z', ['n1z', 'n01020z', 'n11z'], ['nz', 'n1', 'n2z', '1z']],
    ['ab*ba', ['abba', 'abxba'], ['aba']],
    ['node-1', ['node-1', 'x.node-1'], ['node-10']],
  ];
  for (const [pattern, allowed, not] of cases) {
    test(pattern, () => {
      assert.deepEqual(
        allowed.filter((name) => !dnsAllows(pattern, name)),
        [],
      );
      assert.deepEqual(
        not.filter((name) => dnsAllows(pattern, name)),
        [],
      );
    });
  }

  test('what allows every name, or is none, is refused', () => {
    const wrong = [
      '',
      '.',
      '*',
      '*.*',
      '**',
      '.*',
      '-*',
      'a..b',
      '.node-*.b',
      'a b',
      'a/b',
      '(a+)+',
      'a_b',
      'é',
      'a.',
    ];
    assert.deepEqual(
      wrong.filter((text) => !isRefused(() => parseAllowedDns(text))),
      [],
    );
  });

  test('a pattern covers what a regular expression made from it does', () => {
    const label = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), minLength: 1, maxLength: 8 });
    const pattern = fc
      .string({ unit: fc.constantFrom('a', 'b', '1', '*', '*'), minLength: 1, maxLength: 6 })
      .filter((text) => /[ab1]/.test(text) && text.includes('*'));
    fc.assert(
      fc.property(pattern, label, (glob, name) => {
        const judge = new RegExp(`^${glob.replaceAll('*', '.*')}$`);
        assert.equal(dnsAllows(`${glob}.example.com`, `${name}.example.com`), judge.test(name));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('--allow-cidr', () => {
  test('covers its network and nothing else, in its own family', () => {
    const cases: readonly [string, string, boolean][] = [
      ['192.0.2.0/24', '192.0.2.255', true],
      ['192.0.2.0/24', '192.0.3.0', false],
      ['192.0.2.0/24', '::ffff:192.0.2.9', true],
      ['192.0.2.10/32', '192.0.2.10', true],
      ['192.0.2.10/32', '192.0.2.11', false],
      ['10.0.0.0/8', '10.255.0.1', true],
      ['2001:db8:1::/48', '2001:db8:1:ffff::1', true],
      ['2001:db8:1::/48', '2001:db8:2::1', false],
      ['2001:DB8::/32', '192.0.2.1', false],
    ];
    for (const [cidr, address, allowed] of cases) {
      assert.equal(cidrAllows(cidr, address), allowed, `${cidr} ${address}`);
    }
  });

  test('what says nothing, or is no network, is refused', () => {
    const wide = ['0.0.0.0/0', '::/0', '0.0.0.0/1', '128.0.0.0/7', '2000::/3', '2000::/15'];
    const wrong = [
      '192.0.2.0',
      '192.0.2.10/24',
      '192.0.2.0/33',
      '2001:db8::1/32',
      '2001:db8::/129',
      '192.0.2/24',
    ];
    const odd = [
      '',
      '/',
      '/24',
      '192.0.2.0/',
      '192.0.2.0/024',
      '192.0.2.0/-1',
      '0xc0.0.2.0/24',
      '010.0.0.0/8',
    ];
    const mapped = ['::ffff:192.0.2.0/120', 'fe80::%eth0/64', '192.0.2.0/24 ', '192.0.2.0/24,10.0.0.0/8'];
    assert.deepEqual(
      [...wide, ...wrong, ...odd, ...mapped].filter((text) => !isRefused(() => parseAllowedCidr(text))),
      [],
    );
  });
});
