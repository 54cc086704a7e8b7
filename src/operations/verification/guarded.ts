import { shellWord } from '../../errors/shell-word.ts';
import { lookAtEach, nothingHere, type Look, type Trouble } from './check.ts';
import type { GuardedFile } from '../../inventory/verified-files.ts';
import type { Observed } from './observed.ts';

const others = 0o007;
const group = 0o070;

/** A private key that others may read is no secret; kubeadm writes keys and kubeconfigs with mode 0600. */
export function keepsItsKeys({ guarded, subject }: Observed): Look {
  // In a checkout or a copy the modes are those of the copying.
  if (subject.inventory.layout.root.directory !== '/') return nothingHere;
  const judged = guarded.filter(({ kind }) => kind === 'key' || kind === 'kubeconfig');
  return lookAtEach(judged, ({ path, mode, gid }): Trouble[] => {
    const isOpen = (mode & others) !== 0;
    if (!isOpen && ((mode & group) === 0 || gid === 0)) return [];
    return [
      {
        grade: isOpen ? 'error' : 'warning',
        name: nameOf(path),
        file: path,
        message: `may be read by ${isOpen ? 'every user' : `group ${String(gid)}`} (mode ${modeText(mode)}), and holds a private key`,
        hint: `chmod 600 ${shellWord(path)}`,
      },
    ];
  });
}

/** CIS Kubernetes Benchmark 1.9: the numbers of its checks of a file's mode and of its owner. */
const benchmarkOf = ({ path, kind }: GuardedFile): Benchmark | undefined => {
  switch (kind) {
    case 'kubeconfig':
      return { ...(kubeconfigs[nameOf(path)] ?? { mode: '1.1.13', owner: '1.1.14' }), most: 0o600 };
    case 'key':
      return { mode: '1.1.21', owner: '1.1.19', most: 0o600 };
    case 'certificate':
      return { mode: '1.1.20', owner: '1.1.19', most: 0o644 };
    case 'directory':
      return { mode: undefined, owner: '1.1.19', most: 0o777 };
    case 'kubelet-ca':
      return { mode: '4.1.7', owner: '4.1.8', most: 0o644 };
    case 'kubelet-config':
      return { mode: '4.1.9', owner: '4.1.10', most: 0o644 };
    case 'manifest':
      return undefined;
  }
};

interface Benchmark {
  readonly mode: string | undefined;
  readonly owner: string;
  /** The bits that a mode may have. */
  readonly most: number;
}

const kubeconfigs: Readonly<Record<string, { readonly mode: string; readonly owner: string }>> = {
  'scheduler.conf': { mode: '1.1.15', owner: '1.1.16' },
  'controller-manager.conf': { mode: '1.1.17', owner: '1.1.18' },
  'kubelet.conf': { mode: '4.1.5', owner: '4.1.6' },
};

export function meetsTheBenchmark({ guarded, cis }: Observed): Look {
  if (!cis) return nothingHere;
  return lookAtEach(guarded, (file): Trouble[] => {
    const benchmark = benchmarkOf(file);
    if (benchmark === undefined) return [];
    const { path, mode, uid, gid } = file;
    const { mode: modeNumber, owner, most } = benchmark;
    const isOpen = modeNumber !== undefined && (mode & ~most & 0o777) !== 0;
    const isOthers = uid !== 0 || gid !== 0;
    const trouble = (message: string, number: string, hint: string): Trouble => ({
      grade: 'warning',
      name: nameOf(path),
      file: path,
      message: `${message} (CIS ${number})`,
      hint: `${hint} ${shellWord(path)}`,
    });
    const octal = modeText(most).slice(1);
    return [
      ...(isOpen
        ? [
            trouble(
              `has mode ${modeText(mode)}, and ${octal} or stricter is wanted`,
              modeNumber,
              `chmod ${octal}`,
            ),
          ]
        : []),
      ...(isOthers
        ? [
            trouble(
              `belongs to ${String(uid)}:${String(gid)}, and root:root is wanted`,
              owner,
              'chown root:root',
            ),
          ]
        : []),
    ];
  });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function modeText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
