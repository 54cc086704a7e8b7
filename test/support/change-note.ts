import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from '../../src/catalog/catalog.ts';
import { leafFile, leafFiles } from './certificates/certificates.ts';
import { stateDirectory } from './node.ts';
import { temporaryDirectory, type Cleanup, type Tree } from './tree.ts';

export const allComponents = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

interface Said {
  readonly verb?: 'renewed' | 'installed' | 'rolled back';
  /** Those that changed; all that the tree has by default. */
  readonly names?: readonly string[];
  /** What must be restarted, in the order of restarting; nothing by default. */
  readonly restart?: readonly string[];
  /** Behind `kubepki restart`; `--rootfs` of the tree by default. */
  readonly flags?: string;
}

/** The newest backup by its name, which begins with the time. */
function newestBackup(tree: Tree): string {
  const backups = join(stateDirectory(tree), 'backups');
  const newest = readdirSync(backups).sort().at(-1);
  if (newest === undefined) throw new Error('the tree has no backup');
  return newest;
}

/** What the run that has just ended must have said on stderr of its change, by what is on the disk now. */
export function changeNote(t: Cleanup, tree: Tree, { restart = [], flags, ...said }: Said = {}): string {
  const hint = `kubepki restart ${restart.join(' ')} ${flags ?? `--rootfs ${tree.directory}`}`;
  const next =
    restart.length === 0
      ? ''
      : `note: restart ${restart.join(', ')} to use the new certificates\nhint: ${hint}\n`;
  return `note: ${sum(t, tree, said)}\n${next}`;
}

/** The same with `--quiet`, where it is all on one line. */
export function quietNote(t: Cleanup, tree: Tree, { restart = [], flags, ...said }: Said = {}): string {
  const command = `kubepki restart ${restart.join(' ')} ${flags ?? `--rootfs ${tree.directory}`}`;
  const next = restart.length === 0 ? '' : `; to use what is new: ${command}`;
  return `note: ${sum(t, tree, said)}${next}\n`;
}

function sum(t: Cleanup, tree: Tree, { verb = 'renewed', names }: Pick<Said, 'verb' | 'names'>): string {
  const leaves = leafFiles(tree, temporaryDirectory(t));
  const changed = names?.map((name) => leafFile(leaves, name)) ?? leaves;
  const ends = changed
    .map(({ certificate }) => new Date(new X509Certificate(readFileSync(certificate)).validTo))
    .sort((a, b) => a.getTime() - b.getTime());
  const [first] = ends;
  if (first === undefined) throw new Error('nothing has changed');
  const many =
    changed.length === 1 ? '1 certificate, which' : `${String(changed.length)} certificates, the earliest`;
  return `${verb} ${many} ends ${dateOf(first)}; backup ${newestBackup(tree)}`;
}

/** `Nov 24, 2027 11:32 UTC` */
function dateOf(date: Date): string {
  const [, day = '', month = '', year = '', time = ''] =
    /^\w+, (\d\d) (\w+) (\d+) (\d\d:\d\d):\d\d GMT$/.exec(date.toUTCString()) ?? [];
  return `${month} ${day}, ${year} ${time} UTC`;
}

/** What uses these certificates, in the order of restarting. */
export function usersOf(names: readonly string[]): readonly string[] {
  const users = certificates
    .filter(({ name }) => names.includes(name))
    .flatMap(({ components }) => components);
  return allComponents.filter((component) => users.includes(component));
}

/** What else the run said: the sum must be there once, as one line; that it is true is tested elsewhere. */
export function besideChangeNote(stderr: string): string {
  const sum =
    /^note: (?:renewed|installed|generated|rolled back) \d+ certificates?\b[^\n]* ends? \w{3} \d\d, \d{4} \d\d:\d\d UTC; backup [^\s;]+(?:; to use what is new: kubepki restart [^\n]+)?\n/gm;
  const found = stderr.match(sum) ?? [];
  if (found.length !== 1) throw new Error(`${String(found.length)} sums of a change: ${stderr}`);
  return stderr.replace(sum, '');
}
