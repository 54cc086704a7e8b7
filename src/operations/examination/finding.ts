import type { CommandLine } from '../../errors/command-line.ts';
import type { AuthorityCheck, Severity } from './authority-checks.ts';
import type { CertificateCheck } from './certificate-checks.ts';

/** `unjudged`: whether it verifies cannot be told, as its CA could not be read. */
export type CheckId = CertificateCheck | AuthorityCheck | 'missing' | 'unreadable' | 'unjudged';

/** What the examination of a node has found out about one certificate, or about a CA's file. */
export interface Finding {
  readonly check: CheckId;
  readonly severity: Severity;
  /** The certificate's, or the CA's, as a user types it. */
  readonly name: string;
  /** Host path of the file to look at. */
  readonly file: string;
  /** What is wrong, said of the file. */
  readonly message: string;
  /** The same, said of the certificate: `has no private key`. */
  readonly summary: string;
  readonly hint: string | undefined;
  /** It follows from what is wrong with its CA, which has a finding of its own. */
  readonly followsFromCa?: true;
}

// What kubeadm's tables show by themselves; that a CA could not be read, its own row says.
const shown: ReadonlySet<CheckId> = new Set(['missing', 'unreadable', 'unjudged', 'expired', 'ca-expired']);

/** Whether its row in the tables of check-expiration tells it. */
export function isShownByRow({ check }: Finding): boolean {
  return shown.has(check);
}

export function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

/** What is wrong with which certificate, as far as it decides what mends it. */
export interface Remedied {
  /** The certificate's, or the CA's. */
  readonly name: string;
  /** The key of its CA is elsewhere; `etcd`: and kubeadm does not manage the certificate either. */
  readonly external: boolean | 'etcd';
  readonly caFile: string;
  readonly command: CommandLine;
}

/** The next step. */
export function remedy(check: CheckId, { name, external, caFile, command }: Remedied): string | undefined {
  if (external === 'etcd' && !elsewhere.has(check)) {
    return 'the external etcd has its own CA: have it sign a new one, and put it in place';
  }
  const csrOnly = external === false ? '' : ' --csr-only';
  const signedAnew = `have it signed anew: ${command(`renew ${name}${csrOnly}`)}`;
  const madeAnew =
    external === false
      ? `put another in place, or move this one and its key away to have one made: ${command(`generate ${name}`)}`
      : `have its CA sign another: ${command(`renew ${name} --csr-only`)}`;
  const wholeCa = `put the CA certificate of this cluster in place, from a backup or another control-plane node`;
  switch (check) {
    case 'missing':
      return external === false
        ? `restore it with its key, or make it: ${command(`generate ${name}`)}`
        : 'restore it with its key, or have the CA sign a new one (kubepki certs generate-csr --help)';
    case 'order':
      return 'put the leaf first, and the intermediates that signed it behind it';
    case 'foreign':
      return `put the CA certificate in place that signed it, or have it signed by this one: ${command(`renew ${name}${external === false ? ' --force' : csrOnly}`)}`;
    case 'untrusted':
      return `have it signed by a valid CA that leads to ${caFile}`;
    case 'signature':
    case 'serial':
      return signedAnew;
    case 'ca':
    case 'extensions':
    case 'usages':
      return madeAnew;
    case 'nameless':
      return `give it the names of the configuration: ${withConfig(command(`renew ${name}${csrOnly} --sans-from-config`))}`;
    case 'key-missing':
      return `restore it from a backup, or ${external === false ? 'make a new pair' : 'have it signed with a new key'}: ${command(`renew ${name}${csrOnly}`)}`;
    case 'key-locked':
    case 'ca-key-locked':
      return 'run it as root, or look at no key: --certs-only';
    case 'key-unreadable':
    case 'key-other':
      return `put the key and the certificate of one pair in place, or make a new one: ${command(`renew ${name}${csrOnly}`)}`;
    case 'expired':
      return `renew it: ${command(`renew ${name}${csrOnly}`)}`;
    case 'not-yet-valid':
      return external === 'etcd'
        ? "check this machine's clock"
        : `check this machine's clock; if it is right: ${command(`renew ${name}${csrOnly}`)}`;
    case 'ca-not-yet-valid':
      return "check this machine's clock";
    case 'ca-no-ca':
    case 'ca-serial':
    case 'ca-unfit':
      return wholeCa;
    case 'ca-expired':
      return 'a new CA is needed: see "Manual rotation of CA certificates" in the Kubernetes documentation';
    case 'ca-key-unreadable':
    case 'ca-key-other':
      return 'put the key and the certificate of the same CA in place, from a backup or another control-plane node';
    case 'block-unparsable':
    case 'block-no-ca':
    case 'block-expired':
      return 'take it out of the file';
    case 'unreadable':
    case 'unjudged':
      return undefined;
  }
}

/** The checks in which the CA has no part. */
const elsewhere: ReadonlySet<CheckId> = new Set(['order', 'key-locked', 'not-yet-valid']);

/** Where no configuration was named, it has to be: the cluster's does not know this node's names. */
function withConfig(line: string): string {
  return line.includes(' --config ')
    ? line
    : line.replace('--sans-from-config', '--sans-from-config --config FILE');
}
