import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { maxFileBytes, readRegularFile } from '../../src/filesystem/regular-file.ts';
import { temporaryDirectory } from '../support/tree.ts';

describe('reading a regular file', () => {
  test('content, digest and mode', (t) => {
    const path = join(temporaryDirectory(t), 'file');
    writeFileSync(path, 'content');
    chmodSync(path, 0o640);
    const file = readRegularFile(path, path);
    assert.equal(file?.bytes.toString(), 'content');
    assert.equal(file.facts.sha256, createHash('sha256').update('content').digest('hex'));
    assert.equal(file.facts.mode, 0o640);
    assert.equal(file.facts.links, 1);
  });

  test('nothing there is undefined, not an error', (t) => {
    const path = join(temporaryDirectory(t), 'file');
    assert.equal(readRegularFile(path, path), undefined);
  });

  test('a directory, a FIFO, a socket, a device and a symlink are refused by name, and none blocks', async (t) => {
    const directory = temporaryDirectory(t);
    mkdirSync(join(directory, 'directory'));
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    const server = createServer().listen(join(directory, 'socket'));
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('file', join(directory, 'link'));
    const expected = [
      [join(directory, 'directory'), 'is a directory, not a file'],
      [join(directory, 'fifo'), 'is a FIFO, not a file'],
      [join(directory, 'socket'), 'is a socket, not a file'],
      ['/dev/zero', 'is a device, not a file'],
      [join(directory, 'link'), 'is a symbolic link, not a file'],
    ] as const;
    for (const [path, message] of expected) {
      assert.throws(() => readRegularFile(path, path), { code: 'not-a-file', file: path, message });
    }
  });

  test('a file of 1 GiB is refused without being read', (t) => {
    const path = join(temporaryDirectory(t), 'large');
    writeFileSync(path, '');
    truncateSync(path, 1024 ** 3);
    assert.throws(() => readRegularFile(path, path), { code: 'too-large', message: 'is larger than 1 MiB' });
  });

  test('exactly the limit is still read', (t) => {
    const path = join(temporaryDirectory(t), 'limit');
    writeFileSync(path, Buffer.alloc(maxFileBytes));
    assert.equal(readRegularFile(path, path)?.bytes.length, maxFileBytes);
  });
});
