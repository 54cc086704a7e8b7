import type { TreeExpiration } from '../../operations/expiration/tree-expiration.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { expirationInfo } from './expiration-document.ts';

const kind = 'CertificateExpirationInfoList';

export function treesDocument(trees: readonly TreeExpiration[], format: DocumentFormat): string {
  return renderDocument(kind, { items: trees.map(itemOf) }, format);
}

/** The same before it is text. */
export function treesInfo(trees: readonly TreeExpiration[]): object {
  return { kind, apiVersion: 'kubepki/v1', items: trees.map(itemOf) };
}

/** kubeadm's document has no field for what could not be read; where nothing could be, there is none of kubeadm's. */
function itemOf({ node, report, problems, findings }: TreeExpiration): object {
  return {
    node,
    ...(report === undefined ? {} : { expiration: expirationInfo(report) }),
    problems: problems.map(({ oneLine }) => oneLine),
    findings: findings.map(({ name, check, severity, file, message }) => ({
      name,
      check,
      severity,
      file,
      message,
    })),
  };
}
