import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readInventory, type Etcd } from '../../../src/inventory/inventory.ts';
import { locateLayout } from '../../../src/inventory/layout.ts';
import { readPrivateKeys } from '../../../src/inventory/private-keys.ts';
import { managedOn } from '../../../src/operations/node/node-kind.ts';
import { examination } from '../../../src/operations/examination/examination.ts';
import type { Finding } from '../../../src/operations/examination/finding.ts';
import { judge } from '../../support/judge.ts';
import { plannedNode, read, remakeAuthority } from '../../support/planners/planned-node.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../../support/tree.ts';

const now = new Date('2027-01-01T00:00:00Z');
const dates = { start: '20260101000000Z', end: '20280101000000Z' };

interface Setting {
  readonly openssl: string;
  readonly tree: Tree;
  /** Path in the cert dir. */
  readonly pki: (name: string) => string;
  /** A CA of that name which nothing knows, without extension. */
  readonly stranger: (name: string) => string;
}

function setting(t: TestContext): Setting | undefined {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const tree = copyFixture(t, 'ipv6');
  return {
    openssl,
    tree,
    pki: (name) => join(tree.certDir, name),
    stranger: (name) => {
      const path = join(temporaryDirectory(t), 'ca');
      makeCa(openssl, path, name);
      return path;
    },
  };
}

interface Examining {
  readonly at?: Date;
  readonly certsOnly?: boolean;
  readonly etcd?: Etcd;
}

function examine(
  tree: Tree,
  { at = now, certsOnly = false, etcd = { kind: 'stacked' } }: Examining = {},
): readonly Finding[] {
  const root = FileSystemRoot.open(tree.directory, '/');
  const layout = locateLayout(root, {
    certDir: undefined,
    kubeconfigDir: undefined,
    manifestsDir: undefined,
  });
  const inventory = managedOn('control-plane', etcd.kind, readInventory(layout, etcd));
  const keys = certsOnly ? undefined : readPrivateKeys(inventory);
  return examination({ inventory, keys, now: at, command: (text) => `kubepki certs ${text}` });
}

const found = (findings: readonly Finding[]): string[] =>
  findings.map(
    ({ name, check, severity }) => `${name}: ${check}${severity === 'warning' ? ' (warning)' : ''}`,
  );

/** Puts a certificate signed by another CA into a kubeconfig, for the key that is there. */
function resignKubeconfig(t: TestContext, { openssl, tree }: Setting, name: string, by: string): void {
  const path = join(tree.kubeconfigDir, name);
  const text = readFileSync(path, 'utf8');
  const scratch = join(temporaryDirectory(t), 'client');
  const held = (field: string): Buffer =>
    Buffer.from(new RegExp(`${field}: (\\S+)`).exec(text)?.[1] ?? '', 'base64');
  writeFileSync(`${scratch}.crt`, held('client-certificate-data'));
  writeFileSync(`${scratch}.key`, held('client-key-data'));
  resign(openssl, scratch, { by, ...dates });
  const certificate = readFileSync(`${scratch}.crt`).toString('base64');
  writeFileSync(
    path,
    text.replace(/client-certificate-data: \S+/, `client-certificate-data: ${certificate}`),
  );
}

interface Case {
  readonly what: string;
  readonly breakIt: (setting: Setting, t: TestContext) => void;
  readonly finds: readonly string[];
  readonly examining?: Examining;
}

const cases: readonly Case[] = [
  { what: 'nothing is wrong with what kubeadm made', breakIt: () => undefined, finds: [] },
  {
    what: 'a leaf of another CA of the same name',
    breakIt: ({ openssl, pki, stranger }) => {
      resign(openssl, pki('apiserver'), { by: stranger('kubernetes'), ...dates });
    },
    finds: ['apiserver: foreign'],
  },
  {
    what: 'the same while its CA is elsewhere',
    breakIt: ({ openssl, pki, stranger }) => {
      resign(openssl, pki('etcd/peer'), { by: stranger('etcd-ca'), ...dates });
      rmSync(pki('etcd/ca.key'));
    },
    finds: ['etcd-peer: foreign'],
  },
  {
    what: 'a kubeconfig of another CA',
    breakIt: (set, t) => {
      resignKubeconfig(t, set, 'admin.conf', set.stranger('kubernetes'));
    },
    finds: ['admin.conf: foreign'],
  },
  {
    what: 'the CA made anew from its key, its name as UTF8String: Go compares the bytes',
    breakIt: ({ openssl, pki }) => {
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
      execFileSync(openssl, [
        ...[
          'req',
          '-x509',
          '-new',
          '-utf8',
          '-key',
          pki('front-proxy-ca.key'),
          '-subj',
          '/CN=front-proxy-ca',
        ],
        ...[
          ...extensions.flatMap((one) => ['-addext', one]),
          '-days',
          '3650',
          '-out',
          pki('front-proxy-ca.crt'),
        ],
      ]);
    },
    finds: ['front-proxy-client: foreign'],
  },
  {
    what: 'no key',
    breakIt: ({ pki }) => {
      rmSync(pki('etcd/server.key'));
    },
    finds: ['etcd-server: key-missing'],
  },
  {
    what: "another certificate's key",
    breakIt: ({ pki }) => {
      copyFileSync(pki('apiserver.key'), pki('front-proxy-client.key'));
    },
    finds: ['front-proxy-client: key-other'],
  },
  {
    what: 'a key that is none',
    breakIt: ({ pki }) => {
      writeFileSync(pki('apiserver.key'), 'garbage\n');
    },
    finds: ['apiserver: key-unreadable'],
  },
  {
    what: 'a kubeconfig with the key of another',
    breakIt: ({ tree }) => {
      const path = (name: string): string => join(tree.kubeconfigDir, name);
      const [, key = ''] = /client-key-data: (\S+)/.exec(readFileSync(path('admin.conf'), 'utf8')) ?? [];
      const text = readFileSync(path('scheduler.conf'), 'utf8');
      writeFileSync(path('scheduler.conf'), text.replace(/client-key-data: \S+/, `client-key-data: ${key}`));
    },
    finds: ['scheduler.conf: key-other'],
  },
  {
    what: '--certs-only looks at no key',
    breakIt: ({ pki }) => {
      rmSync(pki('etcd/server.key'));
      writeFileSync(pki('apiserver.key'), 'garbage\n');
      copyFileSync(pki('front-proxy-ca.key'), pki('ca.key'));
    },
    examining: { certsOnly: true },
    finds: [],
  },
  {
    what: 'not yet valid',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), start: '20900101000000Z', end: '20910101000000Z' });
    },
    finds: ['apiserver: not-yet-valid'],
  },
  {
    what: 'expired',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('apiserver'), { by: pki('ca'), start: '20200101000000Z', end: '20210101000000Z' });
    },
    finds: ['apiserver: expired'],
  },
  {
    what: 'SHA-1',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('apiserver-etcd-client'), { by: pki('etcd/ca'), digest: 'sha1', ...dates });
    },
    finds: ['apiserver-etcd-client: signature'],
  },
  {
    what: 'no SAN in a serving certificate, and none is wanted in a client',
    breakIt: ({ openssl, pki }) => {
      const extensions = 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n';
      resign(openssl, pki('apiserver'), {
        by: pki('ca'),
        ...dates,
        extensions: `${extensions}extendedKeyUsage=serverAuth`,
      });
      resign(openssl, pki('front-proxy-client'), {
        by: pki('front-proxy-ca'),
        ...dates,
        extensions: `${extensions}extendedKeyUsage=clientAuth`,
      });
    },
    finds: ['apiserver: nameless'],
  },
  {
    what: 'the wrong extended key usage',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('etcd/peer'), {
        ...{ by: pki('etcd/ca'), ...dates },
        extensions: 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:control-plane-1',
      });
    },
    finds: ['etcd-peer: usages'],
  },
  {
    what: 'a leaf that may sign',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('front-proxy-client'), {
        ...{ by: pki('front-proxy-ca'), ...dates },
        extensions: 'keyUsage=critical,digitalSignature,keyCertSign\nextendedKeyUsage=clientAuth',
      });
    },
    finds: ['front-proxy-client: ca'],
  },
  {
    what: 'a critical extension that Go does not know',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('front-proxy-client'), {
        ...{ by: pki('front-proxy-ca'), ...dates },
        extensions: 'extendedKeyUsage=clientAuth\n1.2.3.4.5=critical,DER:0500',
      });
    },
    finds: ['front-proxy-client: extensions'],
  },
  {
    what: 'the CA before the leaf',
    breakIt: ({ pki }) => {
      writeFileSync(
        pki('apiserver.crt'),
        Buffer.concat([readFileSync(pki('ca.crt')), readFileSync(pki('apiserver.crt'))]),
      );
    },
    finds: ['apiserver: order'],
  },
  {
    what: 'the CA behind the leaf is in order',
    breakIt: ({ pki }) => {
      writeFileSync(
        pki('apiserver.crt'),
        Buffer.concat([readFileSync(pki('apiserver.crt')), readFileSync(pki('ca.crt'))]),
      );
    },
    finds: [],
  },
  {
    what: 'missing, and unreadable',
    breakIt: ({ pki, tree }) => {
      rmSync(pki('apiserver.crt'));
      writeFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'garbage\n');
    },
    finds: ['admin.conf: unreadable', 'apiserver: missing'],
  },
  {
    what: 'the CA is not there: its leaves cannot be judged',
    breakIt: ({ pki }) => {
      rmSync(pki('front-proxy-ca.crt'));
    },
    finds: ['front-proxy-client: unjudged'],
  },
  {
    what: 'a leaf in the place of the CA',
    breakIt: ({ pki }) => {
      copyFileSync(pki('front-proxy-client.crt'), pki('front-proxy-ca.crt'));
      copyFileSync(pki('front-proxy-client.key'), pki('front-proxy-ca.key'));
    },
    finds: ['front-proxy-client: foreign', 'front-proxy-ca: ca-no-ca'],
  },
  {
    what: 'a CA that has expired',
    breakIt: ({ tree }) => {
      remakeAuthority(tree, 'front-proxy-ca', { until: new Date('2026-12-31T00:00:00Z') });
    },
    finds: ['front-proxy-client: untrusted', 'front-proxy-ca: ca-expired'],
  },
  {
    what: 'a CA that must not sign',
    breakIt: ({ openssl, pki }) => {
      resign(openssl, pki('front-proxy-ca'), {
        ...{ by: pki('front-proxy-ca'), ...dates },
        extensions: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature',
      });
    },
    finds: ['front-proxy-client: untrusted', 'front-proxy-ca: ca-unfit'],
  },
  {
    what: "another CA's key",
    breakIt: ({ pki }) => {
      copyFileSync(pki('ca.key'), pki('front-proxy-ca.key'));
    },
    finds: ['front-proxy-ca: ca-key-other'],
  },
  {
    what: 'a CA key that is none',
    breakIt: ({ pki }) => {
      writeFileSync(pki('front-proxy-ca.key'), 'garbage\n');
    },
    finds: ['front-proxy-ca: ca-key-unreadable'],
  },
  {
    what: 'a clock that was never set',
    breakIt: ({ pki }) => {
      for (const name of ['etcd', 'apiserver-etcd-client.crt']) rmSync(pki(name), { recursive: true });
    },
    examining: { at: new Date(0), etcd: { kind: 'external' } },
    finds: [
      ...[
        'admin.conf',
        'apiserver',
        'apiserver-kubelet-client',
        'controller-manager.conf',
        'front-proxy-client',
        'scheduler.conf',
      ].flatMap((name) => [`${name}: untrusted`, `${name}: not-yet-valid`]),
      'ca: ca-not-yet-valid',
      'front-proxy-ca: ca-not-yet-valid',
    ],
  },
];

describe('the examination of a node', () => {
  for (const { what, breakIt, finds, examining } of cases) {
    test(what, (t) => {
      const set = setting(t);
      if (set === undefined) return;
      breakIt(set, t);
      const findings = examine(set.tree, examining);
      assert.deepEqual(found(findings), finds);
      for (const { file, message, hint } of findings) {
        assert.ok(file.startsWith(set.tree.directory) && message !== '' && !message.endsWith('.'), message);
        assert.notEqual(hint, '');
      }
    });
  }

  test('a negative serial number: Go parses none of it; zero is one as any', (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { openssl, tree, pki } = set;
    const at = new Date(Date.now() + 60_000);
    resign(openssl, pki('apiserver'), { by: pki('ca'), serial: -5 });
    resign(openssl, pki('etcd/peer'), { by: pki('etcd/ca'), serial: 0 });
    const findings = examine(tree, { at });
    assert.deepEqual(
      found(findings).filter((one) => /^(?:apiserver|etcd-peer):/.test(one)),
      ['apiserver: serial'],
    );
    // A CA: nothing that it signs verifies.
    execFileSync(
      openssl,
      [
        ...[
          'x509',
          '-in',
          pki('front-proxy-ca.crt'),
          '-signkey',
          pki('front-proxy-ca.key'),
          '-set_serial',
          '-7',
        ],
        ...['-days', '3650', '-out', pki('front-proxy-ca.crt')],
      ],
      { stdio: 'ignore' },
    );
    assert.deepEqual(
      found(examine(tree, { at })).filter((one) => one.startsWith('front-proxy')),
      ['front-proxy-client: untrusted', 'front-proxy-ca: ca-serial'],
    );
  });

  test('of several in one CA file, one that Go cannot parse spoils the others', (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { openssl, tree, pki, stranger } = set;
    const other = stranger('other');
    resign(openssl, other, { by: other, serial: -5, extensions: 'basicConstraints=critical,CA:TRUE' });
    const bundle = [pki('front-proxy-ca'), other].map((path) => readFileSync(`${path}.crt`));
    writeFileSync(pki('front-proxy-ca.crt'), Buffer.concat(bundle));
    assert.deepEqual(found(examine(tree)), ['front-proxy-ca: block-unparsable']);
  });

  test('a key that this user may not read is told of as that', (t) => {
    const inventory = read(plannedNode(t));
    const error = new KubepkiError('no-permission', 'permission denied', { file: '/key' });
    const keys = new Map(
      [...readPrivateKeys(inventory)].map(([name, slot]) =>
        ['apiserver', 'etcd-ca'].includes(name)
          ? [name, { ...slot, content: { status: 'unreadable', error } } as const]
          : [name, slot],
      ),
    );
    const managed = managedOn('control-plane', 'stacked', inventory);
    assert.deepEqual(found(examination({ inventory: managed, keys, now, command: (text) => text })), [
      'apiserver: key-locked',
      'etcd-ca: ca-key-locked',
    ]);
  });

  test("of a CA's file the certificate in use is judged, the others are told of", (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { openssl, tree, pki, stranger } = set;
    const expired = stranger('front-proxy-ca');
    resign(openssl, expired, {
      by: expired,
      start: '20100101000000Z',
      end: '20200101000000Z',
      extensions: 'basicConstraints=critical,CA:TRUE',
    });
    const others = [readFileSync(`${expired}.crt`), readFileSync(pki('apiserver.crt'))];
    writeFileSync(
      pki('front-proxy-ca.crt'),
      Buffer.concat([...others, readFileSync(pki('front-proxy-ca.crt'))]),
    );
    const expected = ['front-proxy-ca: block-no-ca (warning)', 'front-proxy-ca: block-expired (warning)'];
    assert.deepEqual(found(examine(tree)), expected);
    // Without the key, the one that the leaves are from.
    assert.deepEqual(found(examine(tree, { certsOnly: true })), expected);
  });

  test('what the API server shows to an external etcd', (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { openssl, tree, pki, stranger } = set;
    const [certFile, keyFile, caFile] = ['/client.crt', '/client.key', '/ca.crt'];
    const etcd = { kind: 'external', certFile, keyFile, caFile } as const;
    const client = join(tree.directory, 'client');
    assert.deepEqual(found(examine(tree, { etcd })), ['apiserver-etcd-client: missing']);
    copyFileSync(pki('apiserver-etcd-client.crt'), `${client}.crt`);
    copyFileSync(pki('apiserver-etcd-client.key'), `${client}.key`);
    copyFileSync(pki('etcd/ca.crt'), join(tree.directory, 'ca.crt'));
    assert.deepEqual(found(examine(tree, { etcd })), []);
    resign(openssl, client, { by: stranger('another'), ...dates });
    assert.deepEqual(found(examine(tree, { etcd })), ['apiserver-etcd-client: foreign (warning)']);
    resign(openssl, client, { by: pki('etcd/ca'), start: '20200101000000Z', end: '20210101000000Z' });
    rmSync(`${client}.key`);
    assert.deepEqual(found(examine(tree, { etcd })), [
      'apiserver-etcd-client: key-missing',
      'apiserver-etcd-client: expired',
    ]);
  });
});
