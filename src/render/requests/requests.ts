import { printable } from '../printable.ts';
import { restingSentence, type ShownLeft } from '../change/renewal.ts';

export type ShownRequest =
  | ShownLeft
  | {
      readonly status: 'made' | 'pending';
      readonly longName: string;
      readonly request: string;
      readonly key: string;
      /** Where the signed certificate is expected. */
      readonly certificate: string;
      /** The name of the CA that must sign it, and its file. */
      readonly ca: { readonly name: string; readonly certificate: string };
      /** The extended key usages that it must set: the CSR asks for none. */
      readonly usages: readonly string[];
      /** The key in use has the name that the new one would have. */
      readonly besideKeyInUse: boolean;
      /** How the SANs asked for differ from the certificate's. */
      readonly sans?: string | undefined;
    };

/** What waits for a CA's signature, and the command that brings it home. */
export function requestLines(
  requests: readonly ShownRequest[],
  { dryRun, next }: { readonly dryRun: boolean; readonly next: string },
): string {
  const waiting = requests.some(({ status }) => status === 'made' || status === 'pending');
  return [
    ...requests.flatMap((request) => block(request, dryRun)),
    ...(dryRun ? ['', 'nothing was changed (--dry-run)'] : waiting ? closing(next) : []),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function block(request: ShownRequest, dryRun: boolean): string[] {
  if (request.status === 'missing') return [`MISSING! ${request.longName}`];
  if (request.status === 'same-sans')
    return [`${request.longName} not requested: its SANs are those asked for`];
  if (request.status === 'not-due' || request.status === 'unsound') return [restingSentence(request)];
  const { status, longName, request: csr, key, certificate, ca, usages, besideKeyInUse, sans } = request;
  const what = {
    pending: 'waits already, kept as it is',
    made: dryRun ? 'would be requested' : 'requested',
  }[status];
  return [
    `${longName} ${what}`,
    ...(sans === undefined ? [] : [`  ${sans}`]),
    `  CSR          ${csr}`,
    `  key          ${key}${besideKeyInUse ? ' (the key in use stays)' : ''}`,
    `  certificate  ${certificate} (expected here)`,
    `  CA           ${ca.name} (${ca.certificate})`,
    `  usages       ${usages.join(', ')}`,
  ];
}

function closing(next: string): string[] {
  return ['', 'Have the CSRs signed and put each certificate where it is expected. Then run:', `  ${next}`];
}
