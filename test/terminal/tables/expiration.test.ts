/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from '../../support/properties.ts';
import { certificateAuthorities, certificates } from '../../../src/catalog/catalog.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import type {
  ExpirationReport,
  ExpirationRow,
} from '../../../src/operations/expiration/expiration-report.ts';
import type { TreeExpiration } from '../../../src/operations/expiration/expiration.ts';
import { expirationTables } from '../../../src/terminal/tables/expiration.ts';
import { treesTables } from '../../../src/terminal/tables/trees.ts';
import { assertWholeWords, tableLines } from '../../support/table-lines.ts';

const day = 24 * 3600 * 1000;
const names = certificates.map(({ name }) => name);
const caNames = certificateAuthorities.map(({ name }) => name);

function present(
  name: string,
  residualMs: number,
  { caName, ...more }: { caName?: string; faults?: readonly string[]; file?: string } = {},
): ExpirationRow {
  return {
    status: 'present',
    name,
    notAfter: new Date(Date.UTC(2026, 11, 1) + residualMs),
    residualMs,
    externallyManaged: false,
    faults: [],
    refused: false,
    ...more,
    ...(caName === undefined ? {} : { caName }),
  };
}

const rowNamed = (name: string, caName?: string): fc.Arbitrary<ExpirationRow> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.integer({ min: -9 * 365, max: 11 * 365 }).chain((days) => faultsOf(name, days, caName)),
    },
    { weight: 1, arbitrary: fc.constant<ExpirationRow>({ status: 'missing', name }) },
    { weight: 1, arbitrary: fc.constant<ExpirationRow>({ status: 'unreadable', name, file: '/a/b' }) },
  );

function faultsOf(name: string, days: number, caName: string | undefined): fc.Arbitrary<ExpirationRow> {
  const faults = fc.subarray(['has no private key', 'is not signed by its CA', 'is not for clients']);
  const file = `/etc/kubernetes/pki/a/directory/that/is/long/enough/${name}.crt`;
  return faults.map((some) =>
    present(name, days * day + 1000, { faults: some, file, ...(caName === undefined ? {} : { caName }) }),
  );
}

const report: fc.Arbitrary<ExpirationReport> = fc
  .tuple(
    fc.tuple(...names.map((name) => rowNamed(name, 'front-proxy-ca'))),
    fc.tuple(...caNames.map((name) => rowNamed(name))),
  )
  .map(([leaves, authorities]) => ({
    certificates: leaves,
    certificateAuthorities: authorities,
    unlisted: [],
  }));

const widths = fc.integer({ min: 40, max: 220 });

/** All that a table may be made of, at its widest. */
const said = (one: ExpirationReport | readonly TreeExpiration[]): string =>
  Array.isArray(one)
    ? [...treesTables(one as readonly TreeExpiration[], { width: 10_000, colour: false })].join('')
    : [...expirationTables(one as ExpirationReport, { width: 10_000, colour: false })].join('');

suite('check-expiration of one tree', () => {
  test('fits: no word is broken, every name is whole and in its order, at any width', () => {
    fc.assert(
      fc.property(report, widths, (one, width) => {
        const lines = tableLines([...expirationTables(one, { width, colour: true })].join(''), width);
        assertWholeWords(lines, [said(one), 'AUTHORITY EXTERNAL RESIDUAL']);
        const firsts = lines.map((line) => line.split('  ')[0] ?? '');
        assert.deepEqual(
          firsts.filter((first) => names.includes(first) || caNames.some((name) => name === first)),
          [...names, ...caNames],
        );
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  const one: ExpirationReport = {
    certificates: [
      present('admin.conf', -8 * day, { caName: 'ca' }),
      present('apiserver', 13 * day, { caName: 'ca' }),
      present('apiserver-etcd-client', 300 * day, { caName: 'etcd-ca', faults: ['has no private key'] }),
      present('etcd-peer', 200 * day, { caName: 'etcd-ca' }),
      { status: 'missing', name: 'etcd-server', file: '/etc/kubernetes/pki/etcd/server.crt' },
      { status: 'unreadable', name: 'scheduler.conf' },
    ],
    certificateAuthorities: [present('ca', 3000 * day)],
    unlisted: [],
  };
  const shown = (width: number, report = one): string[] =>
    tableLines([...expirationTables(report, { width, colour: false })].join(''), width);

  test('with all others behind it: nothing of them is said to be managed, and yellow is as the kubelet has it', () => {
    const kubelet = {
      ...present('kubelet-client', 20 * day, { file: '/var/lib/kubelet/pki/kubelet-client-current.pem' }),
      kind: 'kubelet-client',
    } as const;
    const additional = [
      { ...kubelet, marginMs: 18 * day },
      { ...kubelet, name: 'late', marginMs: 21 * day },
      { ...present('/root/.kube/\u001b[31mconfig', 5 * day), kind: 'kubeconfig' },
      { status: 'unreadable', name: '192.0.2.1:443', kind: 'endpoint' },
    ] as const;
    const lines = shown(80, { ...one, additional });
    assert.deepEqual(lines.slice(-8, -2), [
      'OTHER CERTIFICATE        EXPIRES       RESIDUAL TIME',
      'kubelet-client           Dec 21, 2026  20d',
      'late                     Dec 21, 2026  20d',
      '/root/.kube/ [31mconfig  Dec 06, 2026  5d',
      '192.0.2.1:443                          unreadable',
      '',
    ]);
    assert.match(lines.at(-2) ?? '', /^1 of 11 certificates has expired, /);
    const coloured = [...expirationTables({ ...one, additional }, { width: 80, colour: true })].join('');
    assert.doesNotMatch(coloured, /\u001b\[33mkubelet-client/);
    assert.match(coloured, /\u001b\[33mlate/);
  });

  test('a long path costs the others no date', () => {
    const path = `/srv/${'deploying-'.repeat(12)}robot.conf`;
    const additional = [{ ...present(path, 400 * day), kind: 'kubeconfig' as const }];
    const lines = shown(80, { ...one, additional });
    const dated = lines.filter((line) => /^(?:etcd-peer|\/srv\/deploying-\S+…\S+robot\.conf) /.test(line));
    assert.deepEqual(
      dated.map((line) => line.slice(line.indexOf('  ')).trim()),
      ['Jun 19, 2027  200d', 'Jan 05, 2028  400d'],
    );
  });

  test('at 80 columns', () => {
    assert.deepEqual(shown(80), [
      'CERTIFICATE            EXPIRES       RESIDUAL TIME   AUTHORITY  EXTERNAL',
      'admin.conf             Nov 23, 2026  expired 8d ago  ca         no',
      'apiserver              Dec 14, 2026  13d             ca         no',
      'apiserver-etcd-client  Sep 27, 2027  300d, invalid   etcd-ca    no',
      'etcd-peer              Jun 19, 2027  200d            etcd-ca    no',
      'etcd-server                          missing',
      'scheduler.conf                       unreadable',
      '',
      'CERTIFICATE AUTHORITY  EXPIRES       RESIDUAL TIME   EXTERNAL',
      'ca                     Feb 17, 2035  8y              no',
      '',
      '1 of 7 certificates has expired, 1 is missing, 1 cannot be read, 1 is invalid;',
      'next: apiserver in 13d',
    ]);
  });

  test('at 120 columns', () => {
    assert.deepEqual(shown(120).slice(0, 6), [
      'CERTIFICATE            EXPIRES                 RESIDUAL TIME   AUTHORITY  EXTERNAL  PROBLEM',
      'admin.conf             Nov 23, 2026 00:00 UTC  expired 8d ago  ca         no',
      'apiserver              Dec 14, 2026 00:00 UTC  13d             ca         no',
      'apiserver-etcd-client  Sep 27, 2027 00:00 UTC  300d, invalid   etcd-ca    no        has no private key',
      'etcd-peer              Jun 19, 2027 00:00 UTC  200d            etcd-ca    no',
      'etcd-server                                    missing',
    ]);
  });

  test('at 200 columns', () => {
    const lines = shown(200);
    assert.match(lines[0] ?? '', /CERTIFICATE AUTHORITY {2}EXTERNALLY MANAGED {2}PROBLEM {13}FILE$/);
    assert.match(lines[5] ?? '', /^etcd-server +missing +\/etc\/kubernetes\/pki\/etcd\/server\.crt$/);
  });

  test('colour is by urgency: red is wrong now, yellow will be within 30 days', () => {
    const coloured = [...expirationTables(one, { width: 80, colour: true })].join('');
    const colours = coloured.split('\n').map((line) => /\u001b\[(\d+)m/.exec(line)?.[1]);
    const [bold, red, yellow] = ['1', '31', '33'];
    assert.deepEqual(colours.slice(0, 10), [
      ...[bold, red, yellow, red, undefined, red, red],
      ...[undefined, bold, undefined],
    ]);
  });

  test('the sum, in the words of what there is', () => {
    const sumOf = (rows: readonly ExpirationRow[]): string | undefined =>
      shown(80, { certificates: rows, certificateAuthorities: [], unlisted: [] }).at(-1);
    const [gone, soon, later] = [present('a', 0), present('b', 13 * day), present('c', 14 * day)];
    assert.equal(sumOf([later, soon]), '2 certificates; next: b in 13d');
    assert.equal(sumOf([later]), '1 certificate; next: c in 14d');
    assert.equal(sumOf([gone, soon]), '1 of 2 certificates has expired; next: b in 13d');
    assert.equal(sumOf([gone, gone]), '2 of 2 certificates have expired');
    const spoilt = present('d', -day, { faults: ['has no private key'] });
    assert.equal(sumOf([gone, spoilt, later]), '2 of 3 certificates have expired; next: c in 14d');
  });
});

const node = fc
  .array(fc.constantFrom('a', 'b', '-', '/', '7', 'é', 'e\u0301', '節', 'ノ'), {
    minLength: 1,
    maxLength: 70,
  })
  .map((parts) => parts.join(''));
const tree: fc.Arbitrary<TreeExpiration> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ node, report }).map((one) => ({ ...one, problems: [], findings: [] })),
  },
  {
    weight: 1,
    arbitrary: node.map((one) => ({
      node: one,
      report: undefined,
      problems: [new KubepkiError('not-found', 'x')],
      findings: [],
    })),
  },
);

suite('check-expiration of several trees', () => {
  test('fits: no word is broken, every name is whole and in its order, at any width', () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), widths, (trees, width) => {
        const lines = tableLines([...treesTables(trees, { width, colour: true })].join(''), width);
        assertWholeWords(lines, [said(trees), 'AUTHORITY EXTERNAL RESIDUAL']);
        const wanted = trees.flatMap(({ report: one }) => (one === undefined ? [] : [...names, ...caNames]));
        const found = lines.flatMap((line) => {
          const [first = '', second = ''] = line.split(/ {2,}/);
          return [first, second]
            .filter((cell) => [...names, ...caNames].some((name) => name === cell))
            .slice(0, 1);
        });
        assert.deepEqual(found, wanted);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  test('where there is no room for a column of nodes, each stands above its rows', () => {
    const one = {
      certificates: [present('apiserver-kubelet-client', 9 * day)],
      certificateAuthorities: [],
      unlisted: [],
    };
    const trees = [
      { node: '/backup/cp-1', report: one, problems: [], findings: [] },
      {
        node: '/backup/a-directory-with-a-very-long-name/cp-2',
        report: undefined,
        problems: [],
        findings: [],
      },
    ];
    assert.deepEqual(tableLines([...treesTables(trees, { width: 42, colour: false })].join(''), 42), [
      'CERTIFICATE               RESIDUAL TIME',
      '/backup/cp-1',
      'apiserver-kubelet-client  9d',
      '/backup/a-directory-w…-very-long-name/cp-2',
      '                          unreadable',
      '',
      '1 certificate; 1 of 2 nodes cannot be',
      'read; next: apiserver-kubelet-client of',
      '/backup/cp-1 in 9d',
    ]);
  });

  test('what others wrote draws nothing', () => {
    const trees = [{ node: 'a\u001b[31m\u202eb', report: undefined, problems: [], findings: [] }];
    const drawn = [...treesTables(trees, { width: 80, colour: false })].join('');
    assert.match(drawn, /^a \[31m b +unreadable$/m);
    assert.doesNotMatch(drawn, /[\u001b\u202e]/);
  });

  test('many trees come piece by piece', () => {
    const rows = names.map((name) => present(name, 9 * day, { caName: 'ca' }));
    const one = { certificates: rows, certificateAuthorities: [], unlisted: [] };
    const trees = Array.from({ length: 200 }, (_one, index) => ({
      node: `/backup/cp-${String(index)}`,
      report: one,
      problems: [],
      findings: [],
    }));
    const pieces = [...treesTables(trees, { width: 120, colour: true })];
    assert.ok(pieces.length > 200 && pieces.every((piece) => piece.length < 10_000));
    const sum = pieces.at(-1);
    assert.equal(
      sum,
      `\n${String(200 * names.length)} certificates of 200 nodes; next: ${names[0] ?? ''} of /backup/cp-0 in 9d\n`,
    );
  });
});
