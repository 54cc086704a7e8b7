/** A system to install packages on: this machine's own, with whatever is written going elsewhere. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Skippable } from '../support/judge.ts';
import { copyFixtureTo, type Cleanup, snapshot, type Snapshot, temporaryDirectory } from '../support/tree.ts';
import { executable } from './built.ts';

/** Says what it was called with, and whether kubepki was there; links are made and removed by the real one, which needs no systemd for it. */
const systemctl = `#!/bin/sh
if [ -x /usr/bin/kubepki ]; then there=with; else there=without; fi
echo "$* ($there kubepki)" >>/var/log/systemctl.log
case " $* " in *' is-enabled '* | *' enable '* | *' disable '*) exec /usr/bin/systemctl.real --root=/ "$@" ;; esac
`;

/**
 * In a mount namespace of its own: the overlay, and what a running system has. "$1": what is written goes here, "$2": the packages.
 * The rest is a command of the system outside, or with chroot, inside.
 */
const enter = `set -e
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount --bind "$2" "$1/root/srv"
cd "$1/root"
shift 2
exec "$@"`;

/** Whether there can be one. If not, the test is skipped: the files of the system are root's. */
export function mayInstall(t: Skippable): boolean {
  if (process.getuid?.() === 0) return true;
  t.skip('only root installs packages');
  return false;
}

const units = ['kubepki-renew.timer', 'kubepki-recover.service'];
/** Below /etc/systemd/system, of the units that are enabled. */
export const enabledLinks = [
  'timers.target.wants/kubepki-renew.timer',
  'kubelet.service.wants/kubepki-recover.service',
];

export class System {
  readonly #directory: string;

  /** With the certificates of a control plane, and the state that a renewal has left there. Without kubepki. */
  constructor(t: Cleanup) {
    this.#directory = temporaryDirectory(t);
    for (const name of ['upper', 'work', 'root', 'packages']) mkdirSync(join(this.#directory, name));
    chmodSync(this.#directory, 0o755);
    for (const name of ['etc', 'var/log', 'run/systemd/system', 'usr/bin', 'usr/sbin']) this.#mkdir(name);
    copyFixtureTo('stacked-etcd-ecdsa', join(this.#directory, 'upper'));
    const here = ['--offline', '--rootfs', join(this.#directory, 'upper')];
    execFileSync(executable, ['certs', 'renew', 'apiserver', ...here], { stdio: 'ignore' });
    this.write('/usr/bin/systemctl', systemctl, 0o755);
    copyFileSync('/usr/bin/systemctl', join(this.#directory, 'upper/usr/bin/systemctl.real'));
    // In a container's image it may forbid what is done here.
    this.write('/usr/sbin/policy-rc.d', '#!/bin/sh\n', 0o755);
  }

  /** Where packages are put: the system has it at /srv. */
  get packages(): string {
    return join(this.#directory, 'packages');
  }

  /** Runs a command in there. @throws Error when it fails */
  inside(...command: readonly string[]): string {
    return this.outside('chroot', '.', ...command);
  }

  /** Runs a command beside it, in the root of the system. @throws Error when it fails */
  outside(...command: readonly string[]): string {
    const args = ['--mount', 'sh', '-c', enter, 'sh', this.#directory, this.packages, ...command];
    const { status, stdout, stderr } = spawnSync('unshare', args, {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) throw new Error(`${command.join(' ')}: exit ${String(status)}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Of /etc/kubernetes, the state of kubepki included. */
  control(): Snapshot {
    return snapshot(join(this.#directory, 'upper/etc/kubernetes'));
  }

  /** What an administrator does after an installation. @returns what is in /etc/default/kubepki then */
  administer(): string {
    this.inside('systemctl', 'enable', ...units);
    const edited = 'KUBEPKI_RENEW_FLAGS="--within 40d --restart"\n';
    this.write('/etc/default/kubepki', edited);
    this.systemctlCalls();
    return edited;
  }

  /** What systemctl was called with since this was last asked. */
  systemctlCalls(): readonly string[] {
    const log = join(this.#directory, 'upper/var/log/systemctl.log');
    const calls = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    writeFileSync(log, '');
    return calls.filter((call) => call !== '');
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = join(this.#directory, 'upper', path);
    writeFileSync(file, text);
    chmodSync(file, mode);
  }

  /** A link that leads nowhere is there, too. */
  has(path: string): boolean {
    const stats = lstatSync(join(this.#directory, 'upper', path), { throwIfNoEntry: false });
    return stats !== undefined;
  }

  read(path: string): Buffer {
    return readFileSync(join(this.#directory, 'upper', path));
  }

  #mkdir(path: string): void {
    mkdirSync(join(this.#directory, 'upper', path), { recursive: true });
  }
}
