import { kubeadmDate } from '../kubeadm-date.ts';
import { printable } from '../printable.ts';

/** The backup that comes back, and what had made it. */
export interface BroughtBack {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly command: string;
  /** How many change. */
  readonly files: number;
}

export interface RolledBack {
  readonly name: string;
  /** RFC 3339; undefined: there was none, so there is none now. */
  readonly notAfter: string | undefined;
}

/** What a rollback has brought back: from which backup, and each certificate with its end. */
export function rollbackLines(backup: BroughtBack, certificates: readonly RolledBack[]): string {
  const ends = certificates.map(({ name, notAfter }) =>
    notAfter === undefined
      ? `${name} is gone, as it was then`
      : `${name} ends ${kubeadmDate(new Date(notAfter))}`,
  );
  const are = backup.files === 1 ? '1 file is as it was' : `${String(backup.files)} files are as they were`;
  return lines([
    `rolled back: ${are} ${before(backup)}`,
    `taken back: ${backup.command}`,
    ...ends.map((line) => `  ${line}`),
  ]);
}

/** The heading of a dry run. */
export function plannedRollback(backup: BroughtBack): string {
  const files = backup.files === 1 ? '1 file' : `${String(backup.files)} files`;
  return lines([`would roll back ${files} to ${before(backup)}`, `would take back: ${backup.command}`]);
}

export function nothingToRollBack(backup: BroughtBack): string {
  return lines([`nothing to roll back: every file is as it was ${before(backup)}`]);
}

function before({ time, id }: BroughtBack): string {
  return `before ${time} (${id})`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${printable(text)}\n`).join('');
}
