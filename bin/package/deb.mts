/** A package for dpkg. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  commonFiles,
  type Content,
  description,
  layOut,
  maintainer,
  type Release,
  revision,
  summary,
  zipped,
} from './files.mts';
import { completionScripts } from '../../src/render/completion.ts';
import { runTool } from './tool.mts';
import { defaultsFile } from './units.mts';

const architectures = { x64: 'amd64', arm64: 'arm64' };
const doc = '/usr/share/doc/kubepki';

/** @returns path of the package */
export function buildDeb(release: Release, machine: keyof typeof architectures): string {
  const { root, dist, scratch, epoch, version } = release;
  const architecture = architectures[machine];
  const files = commonFiles(release, join(dist, `kubepki-linux-${machine}`))
    .set('/usr/share/zsh/vendor-completions/_kubepki', completionScripts.zsh)
    .set('/usr/share/lintian/overrides/kubepki', ours('lintian-overrides'))
    .set(`${doc}/THIRD-PARTY-NOTICES`, { file: join(dist, 'THIRD-PARTY-NOTICES') })
    .set(`${doc}/copyright`, ours('copyright'))
    .set(`${doc}/changelog.gz`, zipped(release, readFileSync(join(root, 'CHANGELOG.md'))))
    .set(`${doc}/changelog.Debian.gz`, zipped(release, changelog(release)));
  const tree = join(scratch, architecture);
  const control = new Map<string, Content>([
    ['/DEBIAN/control', controlText(version, architecture, files)],
    ['/DEBIAN/conffiles', `${defaultsFile}\n`],
    ['/DEBIAN/md5sums', md5sums(files)],
    ...['postinst', 'prerm', 'postrm'].map((name) => [`/DEBIAN/${name}`, ours(name)] as const),
  ]);
  layOut(release, tree, new Map([...files, ...control]));
  const file = join(scratch, `kubepki_${version}-${revision}_${architecture}.deb`);
  // -z0: see bin/README.md.
  runTool('dpkg-deb', ['--root-owner-group', '-Zxz', '-z0', '--build', tree, file], { epoch, home: scratch });
  rmSync(tree, { recursive: true });
  return file;
}

/** @returns the executable that is in a package */
export function executableOfDeb({ epoch, scratch }: Release, file: string): Buffer {
  const tar = runTool('dpkg-deb', ['--fsys-tarfile', file], { epoch, home: scratch });
  return runTool('tar', ['-xO', './usr/bin/kubepki'], { epoch, home: scratch, input: tar });
}

/** flock and getent are called as well: their packages, util-linux and libc-bin, are essential, and not to be named. */
function controlText(version: string, architecture: string, files: ReadonlyMap<string, Content>): string {
  const kibibytes = [...files.values()].reduce((sum, content) => sum + Math.ceil(sizeOf(content) / 1024), 0);
  return `Package: kubepki
Version: ${version}-${revision}
Section: admin
Priority: optional
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${String(kibibytes)}
Depends: libc6 (>= 2.17)
Pre-Depends: init-system-helpers (>= 1.54~)
Description: ${summary}
${description.map((line) => ` ${line}\n`).join('')}`;
}

/** What dpkg --verify goes by. Conffiles it knows itself. */
function md5sums(files: ReadonlyMap<string, Content>): string {
  return [...files]
    .filter(([path]) => path !== defaultsFile)
    .map(([path, content]) => {
      const sum = createHash('md5').update(bytesOf(content)).digest('hex');
      return `${sum}  ${path.slice(1)}\n`;
    })
    .sort((one, other) => (one.slice(34) < other.slice(34) ? -1 : 1))
    .join('');
}

function changelog({ version, epoch }: Release): string {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  return `kubepki (${version}-${revision}) unstable; urgency=medium

  * Release ${version}; changelog.gz says what is new.

 -- ${maintainer}  ${date}
`;
}

function sizeOf(content: Content): number {
  return isFile(content) ? statSync(content.file).size : Buffer.byteLength(content);
}

function bytesOf(content: Content): Buffer | string {
  return isFile(content) ? readFileSync(content.file) : content;
}

function isFile(content: Content): content is { readonly file: string } {
  return typeof content === 'object' && 'file' in content;
}

function ours(name: string): Buffer {
  return readFileSync(new URL(`deb/${name}`, import.meta.url));
}
