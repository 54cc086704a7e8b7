import { commandLine } from '../../errors/command-line.ts';
import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { NodeNaming } from '../../config/node-naming.ts';
import { freePlaces, type NewRequest } from '../../inventory/request-files.ts';
import { chooseConfigured } from '../../operations/issuing/key-choice.ts';
import {
  generateRequest,
  requestedSpecs,
  newRequestReport,
} from '../../operations/generation/new-requests.ts';
import { organizationsSince, type Organizations } from '../../operations/generation/initial-profile.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import { generatedRequestLines } from '../../render/requests/requests.ts';
import { commandHere } from '../../storage/state-directory.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import type { Typed } from '../../flags/table.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { nodeIdentity } from '../../node/host-identity.ts';
import { planNode, readNodeNaming, type Node, readConfiguration } from '../../node/node-options.ts';
import { noteSigning } from '../../change/note-signing.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface GenerateCsrOptions extends ChangeFlags, Typed<'compat'> {
  readonly keepBackups: number;
}

/** `generate-csr`: keys and requests for a control plane that has no certificates yet. */
export async function generateRequests(options: GenerateCsrOptions, terminal: Terminal): Promise<ExitCode> {
  const node = planNode(options, await readConfiguration(options, terminal));
  const naming = await readNaming(node, options);
  const organizations = organizationsSince({ compat: options.compat, configured: naming.kubernetesVersion });
  // What is in the way is told before what is not known.
  placesOf(node, organizations);
  const identity = nodeIdentity(
    {
      naming,
      layout: node.layout,
      specs: requestedSpecs(organizations),
      hasFlags: false,
    },
    terminal,
  );
  const decided = (way: Way): PlannedRun => {
    const places = placesOf(node, organizations);
    const algorithm = chooseConfigured(node.config?.encryptionAlgorithm);
    return {
      now: new Date(),
      errors: [],
      names: [],
      make: async () => {
        const requests = await way.generateKeys(
          places,
          () => algorithm,
          (place, key) => generateRequest(place, { node: identity, organizations }, key),
          terminal,
        );
        const changes = requests.flat();
        return {
          changes,
          signedBy: [],
          certificates: [],
          verify: (read) => {
            requireWritten(changes, read);
          },
          newDirectoryMode: 0o755,
        };
      },
      report: (stage) => newRequestReport(places, stage),
      text: ({ dryRun }) => shown(node, places, { dryRun }),
      remarks: ({ dryRun }) => {
        if (dryRun) return;
        const waiting = places.map(({ spec, request: { path } }) => {
          return { spec, request: path, certificate: path.replace(/csr$/, 'crt') };
        });
        noteSigning(waiting, node.layout, options, terminal);
        terminal.hint(
          `have the CSRs signed, each certificate beside its CSR with .crt for .csr, then run: ${commandHere(way.state, 'install')}`,
        );
      },
    };
  };
  return changeNode(node, decided, options, terminal, { inUse: false });
}

async function readNaming(node: Node, options: GenerateCsrOptions): Promise<NodeNaming> {
  const naming = await readNodeNaming(node, options);
  return { ...naming, kubernetesVersion: options.compat ?? naming.kubernetesVersion };
}

function placesOf({ layout, flags }: Node, organizations: Organizations): NewRequest[] {
  const command = commandLine(flags);
  return requestedSpecs(organizations).map((spec: CertificateSpec) => freePlaces(layout, spec, command));
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
      baseNames: places.flatMap(({ spec }) => (spec.kind === 'leaf' ? [spec.baseName] : [])),
      kubeconfigs: places.flatMap(({ spec }) => (spec.kind === 'leaf' ? [] : [spec.name])),
    },
    options,
  );
}
