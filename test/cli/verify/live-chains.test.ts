import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { append, makeIntermediate, makeLeaf } from '../../support/certificates/served-leaf.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { judge } from '../../support/judge.ts';
import { runProgram } from '../../support/program.ts';
import { listenAt, nodeWith, verifyLive } from '../../support/servers/live-node.ts';
import { opensslServer, type ServedFiles } from '../../support/servers/tls-servers.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

/** Where a case makes what it needs. */
interface Bed {
  readonly openssl: string;
  readonly tree: Tree;
  /** The node's CA, the path without extension. */
  readonly ca: string;
  /** A path in a directory that is gone after the test. */
  readonly at: (name: string) => string;
}

interface Case {
  readonly what: string;
  readonly make: (bed: Bed) => ServedFiles;
  /** What is served is not what is on disk. */
  readonly isOther?: boolean;
  /** Of s_server. */
  readonly flags?: readonly string[];
  readonly live: readonly string[];
  readonly says?: RegExp;
  /** What kubectl says, where it refuses the certificate. */
  readonly kubectl?: RegExp;
}

const dayMs = 24 * 3600 * 1000;

/** So many days from now, as openssl writes it. */
function inDays(days: number): string {
  return new Date(Date.now() + days * dayMs).toISOString().replace(/[-:T]|\.\d+/g, '');
}

function pair(path: string): ServedFiles {
  return { certificate: `${path}.crt`, key: `${path}.key` };
}

/** A leaf of the node's CA. */
function leaf({ openssl, ca, at }: Bed, wish: Partial<Parameters<typeof makeLeaf>[2]> = {}): ServedFiles {
  makeLeaf(openssl, at('leaf'), { by: ca, ...wish });
  return pair(at('leaf'));
}

/** A leaf of an intermediate of the node's CA; served is what `behind` says. */
function below(
  bed: Bed,
  behind: readonly string[],
  wish: Partial<Parameters<typeof makeIntermediate>[2]> = {},
): ServedFiles {
  const { openssl, ca, at } = bed;
  makeIntermediate(openssl, at('intermediate'), { by: ca, ...wish });
  makeLeaf(openssl, at('leaf'), { by: at('intermediate') });
  return withChain(bed, behind);
}

function withChain({ at }: Bed, behind: readonly string[]): ServedFiles {
  if (behind.length === 0) return pair(at('leaf'));
  writeFileSync(at('chain'), '');
  append(at('chain'), ...behind.map((name) => `${at(name)}.crt`));
  return { ...pair(at('leaf')), chain: at('chain') };
}

/** A leaf of a new CA of the same name, which the node's CA has cross-signed. */
function crossed(bed: Bed, behind: readonly string[]): ServedFiles {
  const { openssl, ca, at } = bed;
  makeCa(openssl, at('new'), 'kubernetes');
  copyFileSync(`${at('new')}.crt`, `${at('cross')}.crt`);
  copyFileSync(`${at('new')}.key`, `${at('cross')}.key`);
  resign(openssl, at('cross'), {
    by: ca,
    extensions: 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign',
  });
  makeLeaf(openssl, at('leaf'), { by: at('new') });
  return withChain(bed, behind);
}

const unknownAuthority = /x509: certificate signed by unknown authority/;
const outOfDate = /x509: certificate has expired or is not yet valid/;

const cases: readonly Case[] = [
  { what: 'the right one', make: (bed) => leaf(bed), live: [] },
  {
    what: 'an older one for the same key',
    isOther: true,
    make: ({ openssl, tree, ca, at }) => {
      copyFileSync(join(tree.certDir, 'apiserver.crt'), `${at('older')}.crt`);
      copyFileSync(join(tree.certDir, 'apiserver.key'), `${at('older')}.key`);
      resign(openssl, at('older'), { by: ca, start: '20260101000000Z', end: inDays(20) });
      return pair(at('older'));
    },
    live: ['ERROR live-served'],
    says: /apiserver\.crt: kube-apiserver at 127\.0\.0\.1:\d+ serves an older certificate than this, which ends on /,
  },
  {
    what: 'one of another CA, which is called the same',
    make: (bed) => {
      makeCa(bed.openssl, bed.at('other'), 'kubernetes');
      return leaf(bed, { by: bed.at('other') });
    },
    live: ['ERROR live-valid'],
    says: /kube-apiserver serves a certificate that is not signed by the CA of \S+\/pki\/ca\.crt; next: restart it: /,
    kubectl: unknownAuthority,
  },
  {
    what: "one of another of this node's CAs",
    make: (bed) => leaf(bed, { by: join(bed.tree.certDir, 'front-proxy-ca') }),
    live: ['ERROR live-valid'],
    kubectl: unknownAuthority,
  },
  { what: 'a leaf with its intermediate', make: (bed) => below(bed, ['intermediate']), live: [] },
  {
    what: 'a leaf without its intermediate',
    make: (bed) => below(bed, []),
    live: ['ERROR live-valid'],
    kubectl: unknownAuthority,
  },
  {
    what: 'a leaf with an intermediate that has expired',
    make: (bed) => below(bed, ['intermediate'], { start: inDays(-20), end: inDays(-1) }),
    live: ['ERROR live-valid'],
    says: /serves a certificate that is signed by "CN=intermediate", which expired on /,
    kubectl: outOfDate,
  },
  {
    what: 'a leaf with an intermediate that is no CA',
    make: (bed) => below(bed, ['intermediate'], { isCa: false }),
    live: ['ERROR live-valid'],
    says: /"CN=intermediate", which is no CA/,
    kubectl: /x509: /,
  },
  { what: 'a leaf of a new CA with its cross certificate', make: (bed) => crossed(bed, ['cross']), live: [] },
  {
    what: 'a leaf of a new CA with its own and its cross certificate',
    make: (bed) => crossed(bed, ['new', 'cross']),
    live: [],
  },
  {
    what: 'a leaf of a new CA with its cross certificate and its own',
    make: (bed) => crossed(bed, ['cross', 'new']),
    live: [],
  },
  {
    what: 'a leaf of a new CA with its own certificate alone',
    make: (bed) => crossed(bed, ['new']),
    live: ['ERROR live-valid'],
    kubectl: unknownAuthority,
  },
  {
    what: 'one that has expired',
    make: (bed) => leaf(bed, { start: inDays(-20), end: inDays(-1) }),
    live: ['ERROR live-valid'],
    says: /serves a certificate that expired on /,
    kubectl: outOfDate,
  },
  {
    what: 'one that is not valid yet',
    make: (bed) => leaf(bed, { start: inDays(2), end: inDays(20) }),
    live: ['ERROR live-valid'],
    says: /serves a certificate that is not valid before /,
    kubectl: outOfDate,
  },
  {
    what: 'one that it has signed itself',
    make: ({ openssl, at }) => {
      makeCa(openssl, at('self'), 'kube-apiserver');
      return pair(at('self'));
    },
    live: ['ERROR live-valid'],
    kubectl: /x509: /,
  },
  {
    what: 'one for clients',
    make: (bed) => leaf(bed, { usages: 'clientAuth' }),
    live: ['ERROR live-valid'],
    says: /serves a certificate that lacks the extended key usage serverAuth/,
    kubectl: /x509: certificate specifies an incompatible key usage/,
  },
  { what: 'one that says nothing of usages', make: (bed) => leaf(bed, { usages: undefined }), live: [] },
  {
    what: 'one without a SAN',
    make: (bed) => leaf(bed, { names: undefined }),
    live: ['ERROR live-valid'],
    says: /serves a certificate that has no SAN/,
    kubectl: /x509: certificate (?:is not valid for any names|relies on legacy Common Name)/,
  },
  {
    what: 'one that is signed with SHA-1',
    make: (bed) => leaf(bed, { digest: 'sha1' }),
    flags: ['-cipher', 'DEFAULT:@SECLEVEL=0'],
    live: ['ERROR live-valid'],
    says: /is signed with an algorithm that Kubernetes refuses/,
    kubectl: /x509: .*insecure algorithm SHA1/,
  },
  ...[['-tls1_2'], ['-tls1_3'], ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256']].map((flags) => ({
    what: `the right one with ${flags.join(' ')}`,
    make: (bed: Bed) => leaf(bed),
    flags,
    live: [],
  })),
  ...['-tls1_2', '-tls1_3'].flatMap((flag) => [
    {
      what: `the right one to those alone that show one themselves (${flag})`,
      make: (bed: Bed) => leaf(bed),
      flags: ['-Verify', '1', flag],
      live: [],
    },
    {
      what: `one that has expired to those alone that show one themselves (${flag})`,
      make: (bed: Bed) => leaf(bed, { start: inDays(-20), end: inDays(-1) }),
      flags: ['-Verify', '1', flag],
      live: ['ERROR live-valid'],
      kubectl: outOfDate,
    },
  ]),
];

describe('verify --live says of the API server what kubectl says, when it serves', () => {
  for (const { what, make, isOther = false, flags = [], live, says, kubectl: refusal } of cases) {
    test(what, async (t) => {
      const [openssl, kubectl] = [judge(t, 'openssl'), judge(t, 'kubectl')];
      if (openssl === undefined || kubectl === undefined) return;
      const tree = nodeWith(t, 'kube-apiserver');
      const scratch = temporaryDirectory(t);
      const at = (name: string): string => join(scratch, name);
      const ca = join(tree.certDir, 'ca');
      const served = make({ openssl, tree, ca, at });
      if (!isOther) {
        const file = join(tree.certDir, 'apiserver.crt');
        copyFileSync(served.certificate, file);
        copyFileSync(served.key, join(tree.certDir, 'apiserver.key'));
        if (served.chain !== undefined) append(file, served.chain);
      }
      const port = await opensslServer(t, openssl, served, flags);
      listenAt(tree, port);

      const verified = await verifyLive(tree, '--live');
      assert.deepEqual(verified.live, live, verified.stdout);
      if (says !== undefined) assert.match(verified.stdout, says);
      assert.match(verified.stdout, /^OK +live-answers +each component answers \(1\)$/m);

      const asked = await runProgram(
        kubectl,
        [
          ...[`--server=https://127.0.0.1:${String(port)}`, `--certificate-authority=${ca}.crt`],
          ...[
            '--tls-server-name=kubernetes',
            '--kubeconfig=/dev/null',
            '--token=none',
            '--request-timeout=20s',
          ],
          ...['get', '--raw', '/healthz'],
        ],
        { HOME: scratch },
      );
      if (refusal === undefined) assert.doesNotMatch(asked.stderr, /x509/);
      else assert.match(asked.stderr, refusal);
      if (refusal === undefined && !flags.includes('-Verify')) assert.equal(asked.code, 0, asked.stderr);
      assert.equal(verified.live.includes('ERROR live-valid'), asked.stderr.includes('x509'));
    });
  }
});
