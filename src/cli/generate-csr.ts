import type { CertificateSpec } from '../catalog/catalog.ts';
import { requireNoDanglingLink } from '../inventory/dangling-links.ts';
import { freePlaces, type NewRequest } from '../inventory/new-requests.ts';
import { chooseConfigured } from '../operations/key-choice.ts';
import { generateRequest, requestedSpecs } from '../operations/generate-requests.ts';
import { newRequestReport } from '../operations/new-request-report.ts';
import { requireWritten } from '../operations/read-back.ts';
import { generatedRequestLines } from '../render/generated-requests.ts';
import { ensureDirectories } from '../storage/new-directories.ts';
import { commandHere } from '../storage/state-directory.ts';
import { conclude, type Conclusion } from './conclude.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { generateKeys } from './generate-keys.ts';
import { nodeIdentity } from './host-identity.ts';
import { readNodeNaming } from './node-naming.ts';
import { planNode, type Node, type NodeOptions } from './node-options.ts';
import { noteSigning } from './note-signing.ts';
import type { OutputOption } from './output-option.ts';
import { makeChange, underLock, type LockOptions } from './session.ts';
import { onInterrupt } from './signals.ts';
import type { Terminal } from './terminal.ts';

export interface GenerateCsrOptions extends NodeOptions, LockOptions, OutputOption {
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

/** `generate-csr`: keys and requests for a control plane that has no certificates yet. */
export async function generateRequests(options: GenerateCsrOptions, terminal: Terminal): Promise<ExitCode> {
  return conclude(await generateAll(options, terminal), options, terminal);
}

async function generateAll(options: GenerateCsrOptions, terminal: Terminal): Promise<Conclusion> {
  const node = await planNode(options, terminal);
  const identity = nodeIdentity(await readNodeNaming(node, options), terminal);
  const { root, certDir, kubeconfigDir } = node.layout;
  for (const directory of [certDir, kubeconfigDir]) requireNoDanglingLink(root, directory);
  if (options.dryRun === true) {
    const places = placesOf(node);
    return {
      kind: 'finished',
      code: exitCodes.done,
      report: newRequestReport(places, { dryRun: true, backup: undefined }),
      text: shown(node, places, { dryRun: true }),
    };
  }
  const undo = ensureDirectories(
    [certDir, kubeconfigDir].map((directory) => root.resolve(directory)),
    0o755,
  );
  const forget = onInterrupt(() => {
    undo();
  });
  try {
    return await underLock(node, options, terminal, async (state): Promise<Conclusion> => {
      const places = placesOf(node);
      const algorithm = chooseConfigured(node.config?.encryptionAlgorithm);
      const requests = await generateKeys(
        places,
        () => algorithm,
        (place, key) => generateRequest(place, identity, key),
        terminal,
      );
      const changes = requests.flat();
      const made = await makeChange(
        state,
        {
          changes,
          certificates: [],
          verify: (read) => {
            for (const { target, after } of changes) requireWritten(target, after?.content, read);
          },
          newDirectoryMode: 0o755,
        },
        { keepBackups: options.keepBackups, now: new Date(), terminal },
      );
      if (made.kind === 'interrupted') return made;
      return {
        kind: 'finished',
        code: exitCodes.done,
        report: newRequestReport(places, { dryRun: false, backup: made.backup }),
        text: shown(node, places, { dryRun: false }),
        remarks: () => {
          const waiting = places.map(({ spec, request: { path } }) => {
            return { spec, request: path, certificate: path.replace(/csr$/, 'crt') };
          });
          noteSigning(waiting, node.layout, options, terminal);
          terminal.hint(
            `have the CSRs signed, each certificate beside its CSR with .crt for .csr, then run: ${commandHere(state, 'install')}`,
          );
        },
      };
    });
  } finally {
    forget();
    undo();
  }
}

function placesOf({ layout }: Node): NewRequest[] {
  return requestedSpecs.map((spec: CertificateSpec) => freePlaces(layout, spec));
}

function shown(
  { layout: { certDir, kubeconfigDir } }: Node,
  places: readonly NewRequest[],
  options: { readonly dryRun: boolean },
): string {
  return generatedRequestLines(
    {
      certDir,
      kubeconfigDir,
      baseNames: places.flatMap((place) => (place.kind === 'leaf' ? [place.spec.baseName] : [])),
      kubeconfigs: places.flatMap((place) => (place.kind === 'kubeconfig' ? [place.spec.name] : [])),
    },
    options,
  );
}
