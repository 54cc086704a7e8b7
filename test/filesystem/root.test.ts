import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { FileSystemRoot } from '../../src/filesystem/root.ts';
import { temporaryDirectory } from '../support/tree.ts';

function tree(t: TestContext): { root: FileSystemRoot; directory: string } {
  const directory = join(temporaryDirectory(t), 'root fs');
  mkdirSync(join(directory, 'etc/pki'), { recursive: true });
  mkdirSync(join(directory, 'srv'));
  writeFileSync(join(directory, 'srv/real.crt'), 'x');
  return { root: FileSystemRoot.open(directory, '/somewhere'), directory };
}

describe('a root directory other than /', () => {
  test('absolute paths move below it, relative ones stay with the working directory', (t) => {
    const { root, directory } = tree(t);
    assert.equal(root.locate('/etc/pki'), join(directory, 'etc/pki'));
    assert.equal(root.locate('pki'), '/somewhere/pki');
    assert.equal(root.locate('client.crt', '/base'), '/base/client.crt');
  });

  test('absolute symlinks resolve below it', (t) => {
    const { root, directory } = tree(t);
    symlinkSync('/srv/real.crt', join(directory, 'etc/pki/a.crt'));
    symlinkSync('/srv', join(directory, 'etc/linked'));
    assert.equal(root.resolve(root.locate('/etc/pki/a.crt')), join(directory, 'srv/real.crt'));
    assert.equal(root.resolve(root.locate('/etc/linked/real.crt')), join(directory, 'srv/real.crt'));
  });

  test('no number of .. leads out of it, in a link or in a path', (t) => {
    const { root, directory } = tree(t);
    symlinkSync('../../../../../../etc/passwd', join(directory, 'etc/pki/b.crt'));
    assert.equal(root.resolve(root.locate('/etc/pki/b.crt')), join(directory, 'etc/passwd'));
    assert.equal(root.resolve(root.locate('/../../etc/passwd')), join(directory, 'etc/passwd'));
  });

  test('links to links are followed, and a circle is an error that names the path', (t) => {
    const { root, directory } = tree(t);
    symlinkSync('c2.crt', join(directory, 'etc/pki/c1.crt'));
    symlinkSync('/srv/real.crt', join(directory, 'etc/pki/c2.crt'));
    assert.equal(root.resolve(root.locate('/etc/pki/c1.crt')), join(directory, 'srv/real.crt'));
    symlinkSync('loop.crt', join(directory, 'etc/pki/loop.crt'));
    assert.throws(() => root.resolve(root.locate('/etc/pki/loop.crt')), {
      code: 'not-a-file',
      file: join(directory, 'etc/pki/loop.crt'),
      message: 'too many levels of symbolic links',
    });
  });

  test('a dangling link resolves to where its target would be', (t) => {
    const { root, directory } = tree(t);
    symlinkSync('/srv/not-yet.key', join(directory, 'etc/pki/d.key'));
    assert.equal(root.resolve(root.locate('/etc/pki/d.key')), join(directory, 'srv/not-yet.key'));
  });

  test('a rootfs that is missing or a file is refused', (t) => {
    const { directory } = tree(t);
    assert.throws(() => FileSystemRoot.open(join(directory, 'nowhere'), '/'), { code: 'not-found' });
    assert.throws(() => FileSystemRoot.open(join(directory, 'srv/real.crt'), '/'), { code: 'not-a-file' });
  });
});
