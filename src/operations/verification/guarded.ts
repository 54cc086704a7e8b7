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

interface Benchmark {
  readonly number: string;
  readonly kinds: readonly GuardedFile['kind'][];
  readonly judge: (file: GuardedFile) => string | undefined;
}

const rootOwned = ({ uid, gid }: GuardedFile): string | undefined =>
  uid === 0 && gid === 0 ? undefined : `belongs to ${String(uid)}:${String(gid)}, and root:root is wanted`;
const atMost =
  (most: number) =>
  ({ mode }: GuardedFile): string | undefined =>
    (mode & ~most & 0o777) === 0
      ? undefined
      : `has mode ${modeText(mode)}, and ${modeText(most)} or stricter is wanted`;

/** CIS Kubernetes Benchmark 1.9, as far as it is about the files of the PKI. */
const benchmarks: readonly Benchmark[] = [
  { number: '1.1.13, 1.1.15, 1.1.17, 4.1.5', kinds: ['kubeconfig'], judge: atMost(0o600) },
  { number: '1.1.14, 1.1.16, 1.1.18, 4.1.6', kinds: ['kubeconfig'], judge: rootOwned },
  { number: '1.1.19', kinds: ['directory', 'key', 'certificate'], judge: rootOwned },
  { number: '1.1.20', kinds: ['certificate'], judge: atMost(0o644) },
  { number: '1.1.21', kinds: ['key'], judge: atMost(0o600) },
];

export function meetsTheBenchmark({ guarded, cis }: Observed): Look {
  if (!cis) return nothingHere;
  return lookAtEach(guarded, (file): Trouble[] =>
    benchmarks.flatMap(({ number, kinds, judge }): Trouble[] => {
      const message = kinds.includes(file.kind) ? judge(file) : undefined;
      return message === undefined
        ? []
        : [
            {
              grade: 'warning',
              name: nameOf(file.path),
              file: file.path,
              message: `${message} (CIS ${number})`,
            },
          ];
    }),
  );
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function modeText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
