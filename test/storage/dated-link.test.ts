import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileSystemRoot } from '../../src/filesystem/root.ts';
import { linkToDated } from '../../src/storage/dated-link.ts';
import { temporaryDirectory, type Cleanup } from '../support/tree.ts';

const now = new Date('2027-01-02T03:04:05.678Z');
const dated = 'kubelet-client-2027-01-02-03-04-05.pem';

interface Bed {
  readonly root: FileSystemRoot;
  readonly directory: string;
  readonly path: string;
}

function bed(t: Cleanup): Bed {
  const rootfs = temporaryDirectory(t);
  const directory = join(rootfs, 'var/lib/kubelet/pki');
  mkdirSync(directory, { recursive: true });
  return {
    root: FileSystemRoot.open(rootfs, '/'),
    directory,
    path: join(directory, 'kubelet-client-current.pem'),
  };
}

describe("the link to the kubelet's last certificate", () => {
  test('takes the place of the file, which stays under a name with the date', (t) => {
    const { root, directory, path } = bed(t);
    writeFileSync(path, 'pem', { mode: 0o600 });
    const { ino } = lstatSync(path);
    linkToDated(root, path, now);
    assert.equal(readlinkSync(path), `/var/lib/kubelet/pki/${dated}`);
    assert.equal(readFileSync(root.resolve(path), 'utf8'), 'pem');
    const { mode, nlink, ino: after } = lstatSync(join(directory, dated));
    assert.deepEqual([mode & 0o777, nlink, after], [0o600, 1, ino]);
    assert.deepEqual(readdirSync(directory).sort(), [dated, 'kubelet-client-current.pem']);
  });

  test('what has that name already is kept, and the file stays a file', (t) => {
    const { root, directory, path } = bed(t);
    writeFileSync(path, 'pem');
    writeFileSync(join(directory, dated), 'other');
    assert.throws(() => {
      linkToDated(root, path, now);
    }, /file already exists|exists/);
    assert.equal(readFileSync(join(directory, dated), 'utf8'), 'other');
    assert.ok(lstatSync(path).isFile());
    assert.deepEqual(readdirSync(directory).sort(), [dated, 'kubelet-client-current.pem']);
  });

  test("what a crash has left of an earlier attempt is in nobody's way", (t) => {
    const { root, directory, path } = bed(t);
    writeFileSync(path, 'pem');
    symlinkSync('/nowhere', join(directory, 'kubelet-client-updated.pem'));
    linkToDated(root, path, now);
    assert.deepEqual(readdirSync(directory).sort(), [dated, 'kubelet-client-current.pem']);
  });

  test('a link stays, and so does a file of another name', (t) => {
    const { root, directory, path } = bed(t);
    writeFileSync(join(directory, 'other.pem'), 'pem');
    symlinkSync('/var/lib/kubelet/pki/other.pem', path);
    linkToDated(root, path, now);
    linkToDated(root, join(directory, 'other.pem'), now);
    assert.equal(readlinkSync(path), '/var/lib/kubelet/pki/other.pem');
    assert.deepEqual(readdirSync(directory).sort(), ['kubelet-client-current.pem', 'other.pem']);
  });
});
