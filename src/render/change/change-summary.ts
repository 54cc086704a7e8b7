import type {
  ChangeCommand,
  ChangedCertificate,
  ChangeReport,
} from '../../operations/change/change-report.ts';
import { kubeadmDate } from '../times.ts';

/** A stage of a rotation is more than its certificates: the files count. */
type StageCommand = 'ca rotate trust' | 'ca rotate switch' | 'ca rotate distrust' | 'ca rotate finish';

const verbs: Readonly<Record<Exclude<ChangeCommand, StageCommand>, string>> = {
  renew: 'renewed',
  'renew --csr-only': 'requested',
  install: 'installed',
  generate: 'generated',
  'generate-csr': 'requested',
  rollback: 'rolled back',
  'ca renew': 'renewed',
  'ca trust': 'replaced',
  'ca rotate prepare': 'prepared',
  'sa rotate trust': 'trusted',
  'sa rotate switch': 'switched',
  'sa rotate finish': 'finished',
};

/**
 * A change in one line, for people and for a journal: how many, when the first of them ends, and what brings the old ones back.
 * @returns undefined when nothing was changed
 */
export function changeSummary(report: ChangeReport): string | undefined {
  if (report.dryRun || report.backup === undefined) return undefined;
  const { command, certificates, otherFiles } = report;
  if (isStage(command)) {
    const files = new Set([
      ...certificates.flatMap((one) => ('files' in one ? one.files : [])),
      ...otherFiles,
    ]);
    return `brought ${counted(files.size, 'file')} to ${command.replace('ca rotate ', '')}; backup ${report.backup}`;
  }
  return `${verbs[command]} ${what(report)}${ends(changedIn(report))}; backup ${report.backup}`;
}

function isStage(command: ChangeCommand): command is StageCommand {
  return command.startsWith('ca rotate ') && command !== 'ca rotate prepare';
}

function changedIn({ certificates }: ChangeReport): ChangedCertificate[] {
  return certificates
    .flatMap((certificate) => ('reason' in certificate ? [] : [certificate]))
    .filter(({ files }) => files.length > 0);
}

function what(report: ChangeReport): string {
  const changed = changedIn(report);
  // The service-account key has no certificate.
  const keys = changed.filter(
    (one) => one.new === undefined && (report.command === 'generate' || isTokenKey(one)),
  );
  const count = changed.length - keys.length;
  if (changed.length === 0) return counted(report.otherFiles.length, 'file');
  const certificates = count === 0 ? [] : [counted(count, 'certificate')];
  return [...certificates, ...keys.map(({ name }) => name)].join(' and ');
}

function isTokenKey({ name }: ChangedCertificate): boolean {
  return name === 'sa.key' || name === 'sa.pub';
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function ends(changed: readonly ChangedCertificate[]): string {
  const [first, ...others] = changed
    .flatMap((one) => (one.new === undefined ? [] : [new Date(one.new.notAfter)]))
    .sort((a, b) => a.getTime() - b.getTime());
  if (first === undefined) return '';
  return `, ${others.length === 0 ? 'which ends' : 'the earliest ends'} ${kubeadmDate(first)}`;
}
