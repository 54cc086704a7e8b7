/** The file that takes a rotation from node to node: other programs read it, and nothing but itself is taken for it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Header } from 'tar/header';
import fc from '../support/properties.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import { trustedForms, type Transfer, type Trusted } from '../../src/operations/rotation/transfer.ts';
import { encodeCertificates, parseCertificates } from '../../src/pki/certificate/certificate.ts';
import { maxTransferBytes, readTransfer, writeTransfer } from '../../src/transfer/transfer.ts';
import { packFiles, unpackFiles, type ArchivedFile } from '../../src/transfer/archive.ts';
import {
  crossOf,
  madeAuthority,
  newKey,
  planOf,
  selfSigned,
  type MadeAuthority,
} from '../support/certificates/made-rotation.ts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';

const [ca, etcd, frontProxy] = [
  madeAuthority('ca'),
  madeAuthority('etcd-ca'),
  madeAuthority('front-proxy-ca'),
];

function transferOf(
  authorities: readonly MadeAuthority[],
  trusted: Trusted = 'old-next',
  sealedKeys?: Buffer,
): Transfer {
  return {
    plan: planOf(authorities),
    authorities: authorities.map(({ name, old, next, cross }) => ({ name, old, next, cross, trusted })),
    sealedKeys,
  };
}

const all = transferOf([ca, etcd, frontProxy], 'old-next', Buffer.from('sealed'));
const mtime = new Date(all.plan.createdAt);

/** The archive with its files changed, as a stranger would pack it: everything in it fits but what was changed. */
function repacked(change: (files: ArchivedFile[]) => ArchivedFile[]): Buffer {
  return packFiles(change(unpackFiles(writeTransfer(all), 20)), mtime);
}

function replaced(name: string, content: string | Buffer): Buffer {
  return repacked((files) => {
    assert.ok(files.some((file) => file.name.endsWith(`/${name}`)));
    return files.map((file) =>
      file.name.endsWith(`/${name}`) ? { ...file, content: Buffer.from(content) } : file,
    );
  });
}

const names = [
  'plan.json',
  ...['ca', 'etcd-ca', 'front-proxy-ca'].flatMap((name) =>
    ['old', 'next', 'cross', 'trusted'].map((part) => `${name}.${part}.crt`),
  ),
  'keys.sealed',
];

describe('the file of a rotation', () => {
  test('what is written is read', () => {
    fc.assert(
      fc.property(
        fc.subarray([ca, etcd, frontProxy], { minLength: 1 }),
        fc.constantFrom(...trustedForms),
        fc.option(fc.uint8Array({ maxLength: 3000 }), { nil: undefined }),
        (authorities, trusted, sealed) => {
          const transfer = transferOf(authorities, trusted, sealed && Buffer.from(sealed));
          assert.deepEqual(plainOf(readTransfer(writeTransfer(transfer))), plainOf(transfer));
        },
      ),
      { numRuns: 30 },
    );
  });

  test('is the same for the same content, and its times are the plan’s', () => {
    assert.ok(writeTransfer(all).equals(writeTransfer({ ...all })));
    const header = new Header(writeTransfer(all), 0);
    assert.deepEqual(
      [header.path, header.mode, header.uid, header.uname, header.mtime],
      ['kubepki-rotation-1/plan.json', 0o644, 0, 'root', mtime],
    );
  });

  test('keeps its form: an older and a newer kubepki read it', () => {
    // Of fixed content, so that another version of the library, or of ours, that writes other bytes is noticed.
    const fixed = packFiles(
      [
        { name: 'kubepki-rotation-1/plan.json', content: Buffer.from('{}\n'), isPublic: true },
        { name: 'kubepki-rotation-1/keys.sealed', content: Buffer.alloc(600, 'x'), isPublic: false },
      ],
      mtime,
    );
    assert.equal(fixed.length, 10240);
    assert.equal(createHash('sha256').update(fixed).digest('hex'), fixedDigest);
  });

  for (const program of ['tar', 'bsdtar'] as const) {
    test(`is listed and unpacked by ${program}`, (t) => {
      const tar = judge(t, program);
      if (tar === undefined) return;
      const directory = temporaryDirectory(t);
      const file = join(directory, 'rotation.tar');
      writeFileSync(file, writeTransfer(all));
      const rows = execFileSync(tar, ['tvf', file], { env: { TZ: 'UTC', LC_ALL: 'C' }, stdio: 'pipe' })
        .toString()
        .trim()
        .split('\n');
      assert.deepEqual(
        rows.map((row) => row.split(' ').at(-1)),
        names.map((name) => `kubepki-rotation-1/${name}`),
      );
      for (const row of rows) {
        assert.match(row, /root[/ ]+root .*(?:2026-11-29 12:00|Nov 29 (?:12:00| ?2026))/);
        assert.ok(row.startsWith(row.endsWith('keys.sealed') ? '-rw------- ' : '-rw-r--r-- '), row);
      }
      const out = join(directory, 'out');
      mkdirSync(out);
      execFileSync(tar, ['xf', file, '-C', out], { stdio: 'pipe' });
      const unpacked = join(out, 'kubepki-rotation-1');
      assert.deepEqual(readdirSync(unpacked), [...names].sort());
      const trusted = readFileSync(join(unpacked, 'ca.trusted.crt'), 'utf8');
      assert.equal(trusted, encodeCertificates([ca.old, ca.next]));
    });
  }

  test('that another program has packed anew is refused', (t) => {
    const tar = judge(t, 'tar');
    if (tar === undefined) return;
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'one.tar'), writeTransfer(all));
    execFileSync(tar, ['xf', 'one.tar'], { cwd: directory });
    execFileSync(tar, ['cf', 'two.tar', 'kubepki-rotation-1'], { cwd: directory });
    execFileSync(
      tar,
      ['cf', 'three.tar', '--format=ustar', ...names.map((name) => `kubepki-rotation-1/${name}`)],
      { cwd: directory },
    );
    for (const name of ['two.tar', 'three.tar']) {
      assert.throws(() => readTransfer(readFileSync(join(directory, name))), {
        code: 'bad-transfer',
        hint: /carry the file .* over once more, as it is/,
      });
    }
  });

  test('in which any byte is another is refused', () => {
    const good = writeTransfer(all);
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, other) => {
        const changed = Buffer.from(good);
        changed[index] = (changed[index] ?? 0) ^ other;
        // The keys are sealed by themselves: of them nothing can be said here.
        const sealedAt = good.lastIndexOf('sealed');
        if (index >= sealedAt && index < sealedAt + 6) return;
        assert.throws(() => readTransfer(changed), KubepkiError);
      }),
      { numRuns: 400 },
    );
  });

  test('in which any byte of a header is another, and the checksum fits again, is refused', () => {
    const good = writeTransfer(all);
    const headers = good.length / 512;
    fc.assert(
      fc.property(
        fc
          .nat({ max: headers - 1 })
          .filter((index) => good.subarray(512 * index).toString('latin1', 257, 262) === 'ustar'),
        fc.nat({ max: 511 }),
        fc.integer({ min: 1, max: 255 }),
        (index, within, other) => {
          const changed = Buffer.from(good);
          const header = changed.subarray(512 * index, 512 * index + 512);
          header[within] = (header[within] ?? 0) ^ other;
          // The sum of all bytes, its own field taken for spaces, as octal digits.
          header.fill(' ', 148, 156);
          const sum = header.reduce((so, byte) => so + byte, 0);
          header.write(`${sum.toString(8).padStart(6, '0')} \0`, 148, 'latin1');
          if (changed.equals(good)) return;
          assert.throws(() => readTransfer(changed), KubepkiError);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('with a file that is another in some place, packed as we would, is refused', () => {
    const files = unpackFiles(writeTransfer(all), 20);
    fc.assert(
      fc.property(
        fc.nat({ max: files.length - 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat({ max: 40 }),
        fc.uint8Array({ maxLength: 40 }),
        (index, where, taken, given) => {
          const changed = files.map((one, at) => {
            if (at !== index) return one;
            const begin = Math.floor(where * one.content.length);
            const rest = one.content.subarray(begin + taken);
            return { ...one, content: Buffer.concat([one.content.subarray(0, begin), given, rest]) };
          });
          if (files[index]?.content.equals(changed[index]?.content ?? Buffer.alloc(0)) === true) return;
          assert.throws(() => readTransfer(packFiles(changed, mtime)), {
            code: 'bad-transfer',
            message: /^[^\n]+$/,
          });
        },
      ),
      { numRuns: 400 },
    );
  });

  test('that is cut off, or has something behind its end, is refused', () => {
    const good = writeTransfer(all);
    for (let length = 0; length < good.length; length += 511) {
      assert.throws(() => readTransfer(good.subarray(0, length)), KubepkiError);
    }
    for (const more of [Buffer.alloc(512), Buffer.alloc(10240), Buffer.from('x'), good]) {
      assert.throws(() => readTransfer(Buffer.concat([good, more])), KubepkiError);
    }
    assert.throws(() => readTransfer(Buffer.alloc(maxTransferBytes + 1)), { code: 'too-large' });
  });

  test('random bytes, and random headers, are an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => {
        assert.throws(() => readTransfer(bytes), KubepkiError);
      }),
    );
    const field = fc.record(
      {
        path: fc.string({ maxLength: 120 }),
        size: fc.oneof(fc.nat(), fc.maxSafeInteger()),
        mode: fc.nat({ max: 0o7777777 }),
        uid: fc.maxSafeInteger(),
        linkpath: fc.string({ maxLength: 99 }),
        mtime: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000)),
        type: fc.constantFrom(
          ...([
            'File',
            'Link',
            'SymbolicLink',
            'Directory',
            'ExtendedHeader',
            'GlobalExtendedHeader',
          ] as const),
          ...(['NextFileHasLongPath', 'FIFO', 'CharacterDevice', 'ContiguousFile', 'OldFile'] as const),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 16 }), (fields) => {
        const blocks = fields.map((data) => {
          const block = Buffer.alloc(512);
          new Header(data).encode(block);
          return block;
        });
        assert.throws(() => readTransfer(Buffer.concat([...blocks, Buffer.alloc(10240)])), KubepkiError);
      }),
    );
  });
});

/** The digest of an archive of fixed content. */
const fixedDigest = '055195c1a6e240b8f300a162754cb3c339ce1ec09de116c860642cdbb12976df';

describe('a file that a stranger has made', () => {
  const key = newKey();
  const impostor = selfSigned('kubernetes', key);
  const evil = madeAuthority('ca');
  const plan = (changed: Partial<Record<'old' | 'next' | 'cross', MadeAuthority['old']>>): Transfer =>
    transferOf([{ ...ca, ...changed }]);

  for (const [what, bytes, message] of [
    [
      'with one file less',
      repacked((files) => files.slice(0, -2)),
      /does not hold .*front-proxy-ca\.trusted\.crt/,
    ],
    ['with a file twice', repacked((files) => [...files, ...files.slice(0, 1)]), /more files|packed anew/],
    ['with one more file', repacked((files) => [...files.slice(0, -1), { ...file('x') }]), /packed anew/],
    [
      'with many files',
      packFiles(
        Array.from({ length: 30 }, () => file('x')),
        mtime,
      ),
      /more files/,
    ],
    [
      'with a path that leads out',
      repacked((files) => [{ ...file('../../etc/passwd') }, ...files.slice(1)]),
      /does not hold .*plan\.json/,
    ],
    ['in another order', repacked((files) => [...files].reverse()), /packed anew/],
    [
      'with keys that others may read',
      repacked((files) => files.map((one) => ({ ...one, isPublic: true }))),
      /packed anew/,
    ],
    ['with another plan', replaced('plan.json', '{"version":2}\n'), /plan\.json in it is no plan/],
    ['with a plan that accepts something', replaced('plan.json', accepting()), /packed anew/],
    [
      'with a certificate that the plan does not name',
      replaced('ca.next.crt', encodeCertificates([evil.next])),
      /ca\.next\.crt in it is not the certificate/,
    ],
    [
      'with one certificate more',
      replaced('ca.next.crt', encodeCertificates([ca.next, evil.next])),
      /packed anew/,
    ],
    [
      'with text around a certificate',
      replaced('ca.old.crt', `x\n${encodeCertificates([ca.old])}`),
      /packed anew/,
    ],
    ['with no certificate', replaced('ca.old.crt', 'x'), /ca\.old\.crt in it is not PEM/],
    [
      'with another CA to be trusted',
      replaced('ca.trusted.crt', encodeCertificates([ca.old, evil.old])),
      /packed anew/,
    ],
    [
      'with one CA more to be trusted',
      replaced('ca.trusted.crt', encodeCertificates([ca.old, ca.next, evil.old])),
      /packed anew/,
    ],
    [
      'with only another CA to be trusted',
      replaced('ca.trusted.crt', encodeCertificates([evil.old])),
      /neither the old nor the new/,
    ],
    [
      'with a CA of his own as the new one',
      writeTransfer(plan({ next: evil.next, cross: evil.cross })),
      /not signed by the old CA/,
    ],
    [
      'with a CA of his own and the cross-certificate of the true one',
      writeTransfer(plan({ next: evil.next })),
      /the name and the key of the new CA/,
    ],
    [
      'with a cross-certificate by a namesake of the old CA',
      writeTransfer(plan({ cross: crossOf(impostor, key, ca.next) })),
      /not signed by the old CA/,
    ],
  ] as const) {
    test(`${what} is refused`, () => {
      assert.throws(() => readTransfer(bytes), { code: 'bad-transfer', message });
    });
  }

  test('a leaf in the place of the new CA is refused', () => {
    const fixture = readFileSync(
      new URL('../../fixtures/ipv6/etc/kubernetes/pki/apiserver.crt', import.meta.url),
    );
    const [leaf] = parseCertificates(fixture);
    const cross = crossOf(ca.old, ca.keys.old, leaf);
    assert.throws(() => readTransfer(writeTransfer(plan({ next: leaf, cross }))), {
      code: 'bad-transfer',
      message: /cross\.crt in it is no cross-certificate of this rotation: it is of a CA which is no CA/,
    });
  });

  for (const type of ['SymbolicLink', 'Link', 'Directory', 'ExtendedHeader', 'FIFO'] as const) {
    test(`with a ${type} is refused`, () => {
      const bytes = writeTransfer(all);
      new Header({ path: 'kubepki-rotation-1/plan.json', type, linkpath: '/etc/passwd', size: 0 }).encode(
        bytes,
        0,
      );
      assert.throws(() => readTransfer(bytes), {
        code: 'bad-transfer',
        message: /something else than files/,
      });
    });
  }
});

function file(name: string): ArchivedFile {
  return { name, content: Buffer.from('x'), isPublic: true };
}

function accepting(): string {
  const stored: unknown = JSON.parse(unpackFiles(writeTransfer(all), 20)[0]?.content.toString() ?? '');
  assert.ok(typeof stored === 'object');
  const accepted = [{ condition: 'issued-clients', stage: 'distrust', time: '2026-11-30T12:00:00Z' }];
  return `${JSON.stringify({ ...stored, accepted }, undefined, 2)}\n`;
}

/** Without what differs between two objects of the same certificate. */
function plainOf({ plan, authorities, sealedKeys }: Transfer): unknown {
  return {
    plan,
    sealedKeys: sealedKeys?.toString('hex'),
    authorities: authorities.map(({ name, old, next, cross, trusted }) => ({
      name,
      trusted,
      certificates: [old, next, cross].map(({ der }) => der.toString('hex')),
    })),
  };
}
