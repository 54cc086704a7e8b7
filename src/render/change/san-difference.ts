import type { SanEdit } from '../../pki/extension/edit-subject-alt-name.ts';

/** What becomes of a certificate's SANs: `SANs added DNS:a.example.com; removed IP:192.0.2.9`. */
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
