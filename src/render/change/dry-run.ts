import type { SanEdit } from '../../pki/extension/edit-subject-alt-name.ts';
import { printableLines } from '../printable.ts';
import { kubeadmDate } from '../times.ts';

export interface PlannedChange {
  readonly name: string;
  readonly oldNotAfter: Date | undefined;
  readonly newNotAfter: Date | undefined;
  /** The new end is the CA's own, and earlier than asked for. */
  readonly capped?: boolean;
  /** `CN=kubernetes`; left out, as is the type of the key, where no certificate is issued. */
  readonly issuer?: string;
  /** `RSA-2048` */
  readonly keyType?: string;
  /** A line of its own, about the SANs or the CAs. */
  readonly remark?: string;
  readonly files: readonly string[];
}

/**
 * The text of a dry run: a line for each certificate, and its files below it.
 * @param files the files that belong to no one certificate alone
 */
export function dryRunLines(changes: readonly PlannedChange[], files: readonly string[] = []): string {
  const blocks = changes.map(
    ({ name, oldNotAfter, newNotAfter, capped, issuer, keyType, remark, files: own }) => {
      const details = [
        `ends ${date(oldNotAfter)} -> ${date(newNotAfter)}`,
        ...(capped === true ? ["capped to the CA's end"] : []),
        ...(issuer === undefined ? [] : [`issuer ${issuer}`]),
        ...(keyType === undefined ? [] : [`key ${keyType}`]),
      ];
      const lines = [...(remark === undefined ? [] : [remark]), ...own];
      return [`would change ${name}: ${details.join(', ')}`, ...lines.map((line) => `  ${line}`)];
    },
  );
  return printableLines([
    ...blocks.flat(),
    ...files.map((file) => `  ${file}`),
    'nothing was changed (--dry-run)',
  ]);
}

function date(value: Date | undefined): string {
  return value === undefined ? 'missing' : kubeadmDate(value);
}

/** The change of a certificate's SANs in words: `SANs added DNS:a.example.com; removed IP:192.0.2.9`. */
export function sanDifference(edit: SanEdit | undefined): string {
  if (edit === undefined) return 'the SANs do not change';
  const parts = [
    ...(edit.added.length === 0 ? [] : [`added ${edit.added.join(', ')}`]),
    ...(edit.removed.length === 0 ? [] : [`removed ${edit.removed.join(', ')}`]),
  ];
  return parts.length === 0
    ? 'the SANs stay the same, written as kubeadm writes them'
    : `SANs ${parts.join('; ')}`;
}
