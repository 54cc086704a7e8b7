import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CertificateRecord, FileTarget } from '../../../src/changeset/change-set.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { factsOf } from '../../../src/operations/change/certificate-facts.ts';
import {
  ownerWarnings,
  requireAuthoritiesKept,
  requireUsable,
  rollBack,
  rollbackRecords,
  type RestorableContent,
  type RestorableFile,
} from '../../../src/operations/rollback/rollback.ts';
import { encodeCertificates } from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import { isoSeconds } from '../../../src/pki/der/time.ts';
import {
  fixtureNode,
  inDays,
  issueFor,
  leafOf,
  now,
  pki,
  read,
  spareKey,
  stranger,
} from '../../support/planners/planned-node.ts';

const root = 0;
const jane = 1234;
const joe = 1235;

interface Content {
  readonly content: string | Buffer;
  readonly uid?: number;
  readonly mode?: number;
}

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** What is in a place now. */
function target(path: string, now: Content | undefined, resolvedPath = path): FileTarget {
  const facts = now && {
    sha256: sha256(now.content),
    mode: now.mode ?? 0o600,
    uid: now.uid ?? root,
    gid: now.uid ?? root,
    foreign: now.uid === jane || now.uid === joe,
    links: 1,
  };
  return { path, resolvedPath, before: facts };
}

/** What the backup has of it. */
function kept({ content, uid = root, mode = 0o600 }: Content): RestorableContent {
  return {
    content: Buffer.from(content),
    mode,
    sha256: sha256(content),
    owner: { uid, gid: uid },
    foreign: uid === jane || uid === joe,
  };
}

/** undefined: no file. */
function file(path: string, before: Content | undefined, now: Content | undefined): RestorableFile {
  return { target: target(path, now), old: before && kept(before) };
}

function refusal(run: () => void): KubepkiError {
  try {
    run();
  } catch (error) {
    if (error instanceof KubepkiError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

describe('bringing a backup back', () => {
  test('content, mode and owner; what was not there goes away; what is the same is left alone', () => {
    const files = [
      file('/a', { content: 'old', mode: 0o640 }, { content: 'new' }),
      file('/made', undefined, { content: 'new' }),
      file('/removed', { content: 'old' }, undefined),
      file('/same', { content: 'old', mode: 0o644 }, { content: 'old', mode: 0o600 }),
      file('/neither', undefined, undefined),
    ];
    const owner = { uid: root, gid: root };
    assert.deepEqual(
      rollBack(files).map(({ target: { path }, after }) => [path, after]),
      [
        ['/a', { content: Buffer.from('old'), mode: 0o640, owner }],
        ['/made', undefined],
        ['/removed', { content: Buffer.from('old'), mode: 0o600, owner }],
      ],
    );
    assert.deepEqual(ownerWarnings(files), []);
  });

  test('a file of another user’s goes back to that user, who has it still, or who has lost it', () => {
    const files = [
      file('/still', { content: 'old', uid: jane, mode: 0o640 }, { content: 'new', uid: jane }),
      file('/gone', { content: 'old', uid: jane }, undefined),
    ];
    assert.deepEqual(
      rollBack(files).map(({ after }) => after?.owner?.uid),
      [jane, jane],
    );
    assert.deepEqual(ownerWarnings(files), []);
  });

  test('what root has taken over since stays root’s, as it is now, and that is said', () => {
    const files = [
      file('/taken', { content: 'old', uid: jane, mode: 0o644 }, { content: 'new', mode: 0o600 }),
      file('/taken-and-same', { content: 'old', uid: jane }, { content: 'old' }),
    ];
    assert.deepEqual(
      rollBack(files).map(({ after }) => after),
      [{ content: Buffer.from('old'), mode: 0o600, owner: { uid: root, gid: root } }],
    );
    assert.deepEqual(ownerWarnings(files), ['/taken: stays with uid 0; it belonged to uid 1234 then']);
  });

  test('what root has taken over is as closed as it was, whatever root has put there', () => {
    const [change] = rollBack([
      file('/taken', { content: 'key', uid: jane, mode: 0o600 }, { content: '', mode: 0o644 }),
    ]);
    assert.deepEqual([change?.after?.mode, change?.after?.owner?.uid], [0o600, root]);
    const [closed] = rollBack([
      file('/taken', { content: 'old', uid: jane, mode: 0o644 }, { content: 'new', mode: 0o400 }),
    ]);
    assert.equal(closed?.after?.mode, 0o400);
  });

  test('nobody is given what was another foreign owner’s', () => {
    const error = refusal(() => {
      rollBack([file('/theirs', { content: 'key', uid: jane }, { content: 'mine', uid: joe })]);
    });
    assert.deepEqual([error.code, error.file], ['no-permission', '/theirs']);
    assert.equal(error.message, "belongs to uid 1235, who would be given what was uid 1234's");
    // What holds what it held is left alone, whoever has it.
    const same = [file('/same', { content: 'key', uid: jane }, { content: 'key', uid: joe })];
    assert.deepEqual([rollBack(same), ownerWarnings(same)], [[], []]);
  });

  test('what was root’s comes back as root’s, whoever has it now', () => {
    const files = [file('/a', { content: 'old' }, { content: 'new', uid: jane })];
    assert.deepEqual(rollBack(files)[0]?.after?.owner, { uid: root, gid: root });
    assert.deepEqual(ownerWarnings(files), []);
  });
});

describe('CAs and the service-account key', () => {
  const inventory = read(fixtureNode);
  const changes = (...files: RestorableFile[]): ReturnType<typeof rollBack> => rollBack(files);
  const made = file(pki(fixtureNode, 'ca.key'), undefined, { content: 'new' });

  test('one that the change made goes only by force', () => {
    for (const path of ['ca.crt', 'etcd/ca.key', 'sa.pub']) {
      const change = changes(file(pki(fixtureNode, path), undefined, { content: 'new' }));
      const error = refusal(() => {
        requireAuthoritiesKept(change, inventory, { force: false });
      });
      assert.deepEqual(
        [error.code, error.file, error.message, error.hint],
        [
          'conflict',
          pki(fixtureNode, path),
          'was made by that change, and would be taken away',
          'if that is what you want (a backup is kept): --force',
        ],
      );
      requireAuthoritiesKept(change, inventory, { force: true });
    }
  });

  test('also where a link leads to it', () => {
    const link = { target: { ...made.target, path: '/elsewhere/link' }, old: undefined };
    const error = refusal(() => {
      requireAuthoritiesKept(changes(link), inventory, { force: false });
    });
    assert.equal(error.file, '/elsewhere/link');
  });

  test('one that the change removed comes back; none is replaced by another, even by force', () => {
    const path = pki(fixtureNode, 'sa.key');
    requireAuthoritiesKept(changes(file(path, { content: 'old' }, undefined)), inventory, { force: false });
    const replaced = changes(file(path, { content: 'old' }, { content: 'new' }));
    for (const force of [false, true]) {
      const error = refusal(() => {
        requireAuthoritiesKept(replaced, inventory, { force });
      });
      assert.equal(
        error.oneLine,
        `${path}: is the file of a CA or of the service-account key, and is never replaced`,
      );
    }
  });

  test('anything else may go and come', () => {
    const leaf = pki(fixtureNode, 'apiserver.key');
    const change = changes(
      file(leaf, undefined, { content: 'new' }),
      file('/a', { content: 'old' }, undefined),
    );
    requireAuthoritiesKept(change, inventory, { force: false });
  });
});

describe('what comes back must be of use', () => {
  const inventory = read(fixtureNode);
  const backup = '/state/backups/7';
  const record = (name: string, notAfter: Date | undefined): CertificateRecord => ({
    name,
    old: notAfter && { serial: '01', fingerprint: 'AA', notAfter: isoSeconds(notAfter) },
    new: undefined,
  });
  const usable = (records: readonly CertificateRecord[], ...files: RestorableFile[]): void => {
    requireUsable(records, files, { inventory, now, backup });
  };
  const holding = (path: string, content: string | Buffer): RestorableFile =>
    file(path, { content }, { content: 'new' });
  const foreign = encodeCertificates([issueFor(fixtureNode, 'apiserver', { by: stranger('kubernetes') })]);

  test('certificates that are valid and of the CAs on disk, keys, and what was unreadable before', () => {
    const admin = readFileSync(join(fixtureNode.kubeconfigDir, 'admin.conf'));
    usable(
      [record('apiserver', inDays(1)), record('etcd-peer', now), record('scheduler.conf', undefined)],
      holding('/apiserver.crt', encodeCertificates([leafOf(fixtureNode, 'apiserver')])),
      holding('/etcd-peer.crt', encodeCertificates([leafOf(fixtureNode, 'etcd-peer')])),
      holding('/admin.conf', admin),
      holding('/apiserver.key', encodePrivateKey(spareKey)),
      holding('/damaged.crt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      holding('/damaged.conf', 'clusters: 7\n'),
      file('/new.crt', undefined, { content: foreign }),
    );
  });

  test('expired ones are named', () => {
    const records = [
      record('apiserver', inDays(-1)),
      record('etcd-peer', inDays(1)),
      record('scheduler.conf', new Date(now.getTime() - 1000)),
    ];
    const error = refusal(() => {
      usable(records);
    });
    assert.deepEqual(
      [error.code, error.file, error.message, error.hint],
      [
        'no-backup',
        backup,
        'would bring back expired certificates: apiserver, scheduler.conf',
        'if that is what you want: --force',
      ],
    );
  });

  test('those of another CA are named by their file, in a kubeconfig too', () => {
    const admin = readFileSync(join(fixtureNode.kubeconfigDir, 'admin.conf'), 'utf8');
    const of = (pem: string): string =>
      admin.replace(
        /client-certificate-data: \S+/,
        `client-certificate-data: ${Buffer.from(pem).toString('base64')}`,
      );
    const error = refusal(() => {
      usable(
        [record('apiserver', inDays(-1))],
        holding('/apiserver.crt', foreign),
        holding('/admin.conf', of(foreign)),
        holding('/scheduler.conf', of(encodeCertificates([leafOf(fixtureNode, 'scheduler.conf')]))),
      );
    });
    assert.equal(
      error.message,
      'would bring back expired certificates: apiserver, and certificates of another CA than those on disk: /apiserver.crt, /admin.conf',
    );
  });
});

test('its own backup says what is there now, and what comes back', () => {
  const facts = (name: string): CertificateRecord['old'] => factsOf(leafOf(fixtureNode, name));
  const old = { serial: '01', fingerprint: 'AA', notAfter: '2027-01-01T00:00:00Z' };
  const then = { serial: '02', fingerprint: 'BB', notAfter: '2027-02-01T00:00:00Z' };
  assert.deepEqual(
    rollbackRecords(
      [
        { name: 'apiserver', old, new: then },
        { name: 'super-admin.conf', old, new: then },
        { name: 'etcd-peer', old: undefined, new: then },
      ],
      read(fixtureNode),
    ),
    [
      { name: 'apiserver', old: facts('apiserver'), new: old },
      { name: 'super-admin.conf', old: undefined, new: old },
      { name: 'etcd-peer', old: facts('etcd-peer'), new: undefined },
    ],
  );
});
