import type { Component } from '../../catalog/catalog.ts';
import type { CertificateReport, ChangeReport, NewFacts } from '../../operations/change/change-report.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';

/** The document of every command that changes something: every field is there always, null or empty where it says nothing. */
export function changeDocument(
  { command, dryRun, backup, restored, certificates, otherFiles, elsewhere }: ChangeReport,
  restart: readonly Component[],
  format: DocumentFormat,
): string {
  return renderDocument(
    'CertificateChange',
    {
      command,
      dryRun,
      backup: backup ?? null,
      restoredBackup: restored ?? null,
      certificates: certificates.map(certificate),
      otherFiles,
      restart,
      ...(elsewhere === undefined ? {} : { elsewhere }),
    },
    format,
  );
}

function certificate(one: CertificateReport): Readonly<Record<string, unknown>> {
  return {
    name: one.name,
    outcome: one.outcome,
    reason: 'reason' in one ? one.reason : null,
    old: facts(one.old),
    new: 'reason' in one ? null : facts(one.new),
    files: 'reason' in one ? [] : one.files,
    csr: one.csr ?? null,
    expected: one.expected ?? null,
    components: one.components,
  };
}

function facts(of: NewFacts | undefined): Readonly<Record<string, string | null>> | null {
  if (of === undefined) return null;
  return { serial: of.serial ?? null, notAfter: of.notAfter, fingerprint: of.fingerprint ?? null };
}
