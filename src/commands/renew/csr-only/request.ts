import type { KubeadmConfig } from '../../../config/kubeadm-config.ts';
import { commandLine } from '../../../errors/command-line.ts';
import { readCertificateFile } from '../../../inventory/certificate-files.ts';
import type { Inventory } from '../../../inventory/inventory.ts';
import { readRequestFiles } from '../../../inventory/request-files.ts';
import type { SanWish } from '../../../operations/names/change-sans.ts';
import {
  planRequests,
  type WaitingPlace,
  type PlannedRequest,
  type Requestable,
} from '../../../operations/requests/plan-requests.ts';
import { request, verifyRequested, type Requested } from '../../../operations/requests/request.ts';
import { requestReport } from '../../../operations/renewal/renewal-report.ts';
import { requestLines, type ShownRequest } from '../../../render/requests/requests.ts';
import { keyDigest } from '../../../pki/key/public-key.ts';
import { sanDifference } from '../../../render/change/dry-run.ts';
import { readRequestedKeys, rememberRequestedKeys } from '../../../storage/requested-keys.ts';
import { commandHere } from '../../../storage/state-directory.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../../change/change-node.ts';
import { clusterFlags, retyped, sanFlags, type Typed } from '../../../flags/table.ts';
import { csrDirectory, warnOfOpenDirectory } from '../../../node/csr-directory.ts';
import type { ExitCode } from '../../../terminal/exit-code.ts';
import { namedAlgorithm, openNode, type Node, readConfiguration } from '../../../node/node-options.ts';
import { readManaged } from '../../../node/snapshot.ts';
import { noteSigning, signerOf, type WaitingRequest } from '../../../change/note-signing.ts';
import {
  parseAskedSans,
  parseSelection,
  selectedSpecs,
  type SanOptions,
  type Selection,
} from '../selection.ts';
import { dueSettingsOf, shownAsLeft, warnOfUnsound } from '../within.ts';
import { refusals, renewRestHint } from '../../../operations/change/refusals.ts';
import type { Change } from '../../../change/session.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import { stateOf } from '../../../node/waiting.ts';
import { noteSameSans, noteSans, sanSettings, wishedSans } from '../wished-sans.ts';
import type { ClusterOptions } from '../../../node/ask-cluster.ts';

export interface RequestOptions
  extends ChangeFlags, ClusterOptions, SanOptions, Typed<'csrDir' | 'within' | 'force'> {}

/** `renew --csr-only`: new keys and requests, for a CA that is elsewhere. */
export async function requestCertificates(
  names: readonly string[],
  options: RequestOptions,
  cluster: KubeadmConfig | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = parseSelection(names);
  const asked = parseAskedSans(selection, options);
  const node = openNode(options, await readConfiguration(options, terminal, cluster));
  const sans = await wishedSans(asked, node, options, terminal);
  warnOfOpenDirectory(node, options, terminal);
  const plan = (way: Way): PlannedRun => {
    const now = new Date();
    const run = planRequestRun(node, selection, sans, options, now);
    return decided(run, way, { node, selection, sans, options, now, terminal });
  };
  return changeNode(node, plan, options, terminal, { inUse: false });
}

interface Context {
  readonly node: Node;
  readonly selection: Selection;
  readonly sans: SanWish | undefined;
  readonly options: RequestOptions;
  readonly now: Date;
  readonly terminal: Terminal;
}

function decided(
  { plan, inventory }: RequestRun,
  way: Way,
  { node, selection, sans, options, now, terminal }: Context,
): PlannedRun {
  const requestables = requestablesOf(plan);
  return {
    now,
    errors: refusals(plan, 'requested'),
    onRefusal: () => {
      terminal.hint(
        renewRestHint(
          requestables.map(({ spec }) => spec.name),
          commandLine([
            ...retyped({ ...options, csrOnly: true }, [
              ...(['csrOnly', 'csrDir', ...sanFlags, ...clusterFlags, 'manifestsDir'] as const),
              ...(['textfile', 'keepBackups', 'force'] as const),
            ]),
            ...node.flags,
          ]),
        ),
      );
    },
    beforehand: () => {
      warnOfUnsound(plan, terminal);
      noteSameSans(plan, terminal);
      for (const { warnings } of requestables) for (const warning of warnings) terminal.warning(warning);
      noteSans(requestables, { difference: sans !== undefined && !way.dryRun }, terminal);
    },
    // The certificates in use stay.
    names: [],
    make: async () => {
      const requested = await requestAll(requestables, way, terminal);
      // Before the key is in a directory where another user could put one of his own in its place.
      if (!way.dryRun && requested.length > 0) {
        rememberRequestedKeys(
          way.state,
          requested.map(({ requestable: { spec }, request: { publicKey } }) => ({
            name: spec.name,
            digest: keyDigest(publicKey),
          })),
        );
      }
      return changeOf(requested);
    },
    report: (stage) => requestReport(plan, inventory, stage),
    text: ({ dryRun }) =>
      linesOf(plan, (one) => (dryRun ? shownBefore(one, node) : shown(one, node)), { dryRun }, node, options),
    asked: { named: selection.kind === 'named' },
    remarks: ({ dryRun }) => {
      if (!dryRun) noteSigning(waitingIn(plan), node.layout, options, terminal);
    },
  };
}

interface RequestRun {
  readonly plan: readonly PlannedRequest[];
  readonly inventory: Inventory;
}

function planRequestRun(
  node: Node,
  selection: Selection,
  sans: SanWish | undefined,
  options: RequestOptions,
  now: Date,
): RequestRun {
  const { root } = node.layout;
  const snapshot = readManaged(node);
  const { inventory, keys, keysInUse } = snapshot;
  const directory = csrDirectory(node, options);
  const files = selectedSpecs(selection, inventory).map((spec) => readRequestFiles(root, directory, spec));
  const plan = planRequests(inventory, files, {
    ...dueSettingsOf(node, snapshot, selection, options, now),
    signer: 'by-hand',
    requestedKeys: readRequestedKeys(stateOf(node)),
    command: commandLine(node.flags),
    encryptionAlgorithm: namedAlgorithm(node),
    sans: sanSettings(sans, node, options),
    keys,
    keysInUse,
    force: options.force === true,
    answers: files
      .flatMap(({ key, newKey, otherPaths }) => [key.certificatePath, newKey.certificatePath, ...otherPaths])
      .map((path) => readCertificateFile(root, path)),
  });
  return { plan, inventory };
}

function requestAll(
  requestables: readonly Requestable[],
  { generateKeys }: Way,
  terminal: Terminal,
): Promise<readonly Requested[]> {
  return generateKeys(requestables, ({ keyAlgorithm }) => keyAlgorithm, request, terminal);
}

function changeOf(requested: readonly Requested[]): Change {
  return {
    changes: requested.flatMap(({ changes }) => changes),
    // A request is the CA's to look at.
    signedBy: [],
    // No certificate changes yet.
    certificates: [],
    verify: (readBack) => {
      for (const one of requested) verifyRequested(one, readBack);
    },
    newDirectoryMode: 0o700,
  };
}

function requestablesOf(plan: readonly PlannedRequest[]): Requestable[] {
  return plan.flatMap((planned) => (planned.status === 'requestable' ? [planned.requestable] : []));
}

function nextCommand(node: Node, options: RequestOptions): string {
  return commandHere(stateOf(node), ['install', ...retyped(options, ['csrDir'])].join(' '));
}

function linesOf(
  plan: readonly PlannedRequest[],
  show: (planned: PlannedRequest) => ShownRequest,
  { dryRun }: { readonly dryRun: boolean },
  node: Node,
  options: RequestOptions,
): string {
  const { within } = options;
  const said = plan.filter(({ status }) => status !== 'not-due');
  const dormant = said.length < plan.length;
  const idle = within !== undefined && dormant && said.every(({ status }) => status === 'missing');
  const shownPlan = (idle ? said : plan).map(show);
  const lines = requestLines(shownPlan, { dryRun, next: nextCommand(node, options) });
  return idle ? `nothing is due within ${within.text}\n${lines.replace(/^\n/, '')}` : lines;
}

function shown(planned: PlannedRequest, { layout }: Node): ShownRequest {
  const { longName, usages } = planned.spec;
  if (planned.status !== 'requestable' && planned.status !== 'pending') return shownAsLeft(planned);
  const files = filesOf(planned);
  return {
    status: planned.status === 'pending' ? 'pending' : 'made',
    longName,
    request: files.request.path,
    key: files.key.path,
    certificate: files.certificatePath,
    ca: signerOf(planned.spec, layout),
    usages,
    besideKeyInUse: files.besideKeyInUse,
  };
}

type Waiting = Extract<PlannedRequest, { readonly status: 'requestable' | 'pending' }>;

function filesOf(planned: Waiting): WaitingPlace {
  return planned.status === 'pending' ? planned.files : planned.requestable.files;
}

function waitingIn(plan: readonly PlannedRequest[]): WaitingRequest[] {
  return plan.flatMap((planned) => {
    if (planned.status !== 'requestable' && planned.status !== 'pending') return [];
    const { request, certificatePath } = filesOf(planned);
    return [{ spec: planned.spec, request: request.path, certificate: certificatePath }];
  });
}

/** What would be asked for is shown with the request; in a real run it was said before. */
function shownBefore(planned: PlannedRequest, node: Node): ShownRequest {
  const request = shown(planned, node);
  if (planned.status !== 'requestable' || request.status !== 'made') return request;
  const { sans } = planned.requestable;
  return sans === undefined ? request : { ...request, sans: sanDifference(sans.edit) };
}
