/** The files of an image: the executable, what of Debian it needs, and whose all that is. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { description, fetchPackages, field, unpack } from './debian.mjs';

/**
 * @param root of the checkout
 * @param machine a value of machines.json
 * @param architecture its key
 * @param directory is filled
 * @returns the packages of which files were taken, such as `libc6=2.36-9`
 */
export function makeRoot(root, { executable, libraries, loader }, architecture, directory) {
  const library = (name) => `${libraries}/${name}`;
  const wanted = {
    // The licences that the others' copyright files name; and of which release the packages are, for scanners.
    'base-files': ['usr/share/common-licenses', 'usr/lib/os-release', 'etc/os-release'],
    libc6: [
      loader,
      ...[basename(loader), 'libc.so.6', 'libm.so.6', 'libpthread.so.0', 'libdl.so.2'].map(library),
    ],
    // It looks up the API server's name (src/decisions/host-names.md).
    'libc-bin': ['usr/bin/getent'],
    // It takes the lock (src/storage/lock.ts).
    'util-linux': ['usr/bin/flock'],
  };
  const packages = fetchPackages(
    architecture,
    Object.keys(wanted),
    join(root, 'node_modules', '.cache', 'kubepki'),
  );
  const taken = Object.entries(wanted).map(([name, paths]) => {
    const file = packages.get(name);
    unpack(file, [...paths, `usr/share/doc/${name}/copyright`], directory);
    // Where scanners look for packages in an image without dpkg.
    write(`var/lib/dpkg/status.d/${name}`, description(file));
    return `${name}=${field(file, 'Version')}`;
  });
  write('etc/nsswitch.conf', 'hosts: files dns\n');
  copy(join('dist', executable), 'usr/bin/kubepki');
  copy('LICENSE', 'usr/share/doc/kubepki/copyright');
  copy(join('dist', 'THIRD-PARTY-NOTICES'), 'usr/share/doc/kubepki/THIRD-PARTY-NOTICES');
  return taken;

  function place(path) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  }

  function write(path, text) {
    writeFileSync(place(path), text);
  }

  function copy(from, path) {
    copyFileSync(join(root, from), place(path));
  }
}
