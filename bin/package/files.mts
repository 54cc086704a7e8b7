/** What both packages hold, laid out as it is installed. */
import {
  chmodSync,
  copyFileSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { completionScripts } from '../../src/render/completion.ts';
import { runTool } from './tool.mts';
import { defaults, defaultsFile, packagedUnits } from './units.mts';

/** What is packaged. */
export interface Release {
  /** Of the checkout. */
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970, of the commit: the time of all that is in a package. */
  readonly epoch: number;
  /** With the executables in it. */
  readonly dist: string;
  /** A directory for what is made on the way. */
  readonly scratch: string;
}

/** Of the package, for both formats: a first packaging of each version, as the project makes its own. */
export const revision = '1';
export const maintainer = 'kubepki maintainers <maintainers@kubepki.invalid>';
export const summary = 'looks after the PKI of kubeadm-built Kubernetes control planes';
export const description = [
  'kubepki takes the command lines of "kubeadm certs", prints what kubeadm',
  'prints, and changes the same files. A renewal is one transaction with a',
  'backup, works with the cluster down, and restarts what must be restarted.',
  'Exit codes, metrics and a timer, which is not enabled, serve monitoring.',
];

export type Content = string | Buffer | { readonly file: string };

/** @returns by path, what is at the same place in both formats */
export function commonFiles(release: Release, executable: string): Map<string, Content> {
  const man = join(release.root, 'docs/man');
  return new Map<string, Content>([
    ['/usr/bin/kubepki', { file: executable }],
    [defaultsFile, defaults],
    ...[...packagedUnits()].map(([name, text]) => [`/usr/lib/systemd/system/${name}`, text] as const),
    ['/usr/share/bash-completion/completions/kubepki', completionScripts.bash],
    ['/usr/share/fish/vendor_completions.d/kubepki.fish', completionScripts.fish],
    ...readdirSync(man)
      .sort()
      .map(
        (name) => [`/usr/share/man/man8/${name}.gz`, zipped(release, readFileSync(join(man, name)))] as const,
      ),
  ]);
}

/** As Debian wants it: the smallest, without name and time. */
export function zipped(release: Release, text: Buffer | string): Buffer {
  return runTool('gzip', ['-9n'], { epoch: release.epoch, home: release.scratch, input: Buffer.from(text) });
}

/** Lays them below a directory: modes do not come from the umask, and times are the commit's. */
export function layOut(release: Release, directory: string, files: ReadonlyMap<string, Content>): void {
  for (const [path, content] of files) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === 'object' && 'file' in content)
      copyFileSync(content.file, target, constants.COPYFILE_FICLONE);
    else writeFileSync(target, content);
    chmodSync(target, isProgram(path) ? 0o755 : 0o644);
    utimesSync(target, release.epoch, release.epoch);
  }
  const directories = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of [directory, ...directories]) {
    chmodSync(path, 0o755);
    utimesSync(path, release.epoch, release.epoch);
  }
}

function isProgram(path: string): boolean {
  return path.startsWith('/usr/bin/') || /^\/DEBIAN\/(?:pre|post)(?:inst|rm)$/.test(path);
}
