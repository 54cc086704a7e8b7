import { certificates } from '../../catalog/catalog.ts';
import { readKubeconfigServers } from '../../inventory/node-traces.ts';
import { readStaticPods } from '../../inventory/kubelet/static-pods.ts';
import type { SanChange, SanSettings, SanWish } from '../../operations/names/change-sans.ts';
import type { PlannedRenewal } from '../../operations/renewal/plan-renewal.ts';
import type { PlannedRequest } from '../../operations/requests/plan-requests.ts';
import { readNodeNaming, type Node, type NodeOptions } from '../../node/node-options.ts';
import type { AskedSans } from './selection.ts';
import { sanDifference } from '../../render/change/dry-run.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** What was asked for, with what the configuration and this machine say to it. */
export async function wishedSans(
  asked: AskedSans | undefined,
  node: Node,
  options: NodeOptions,
  terminal: Terminal,
): Promise<SanWish | undefined> {
  if (asked?.kind !== 'configured') return asked;
  const { nodeIdentity } = await import('../../node/host-identity.ts');
  const naming = await readNodeNaming(node, options);
  const specs = certificates.filter(({ subject }) => subject.names !== 'none');
  const question = { naming, layout: node.layout, specs, hasFlags: false };
  return { kind: 'configured', node: nodeIdentity(question, terminal) };
}

/** Reads who uses the names; what it reads it reads now. */
export function sanSettings(
  wish: SanWish | undefined,
  { layout }: Node,
  { force }: { readonly force?: boolean },
): SanSettings | undefined {
  if (wish === undefined) return undefined;
  const sources = { kubeconfigs: readKubeconfigServers(layout), pods: readStaticPods(layout) };
  return { wish, sources, force: force === true };
}

interface Changed {
  readonly spec: { readonly name: string };
  readonly sans: SanChange | undefined;
  readonly nameless: boolean;
}

/** @param difference false: it is shown elsewhere */
export function noteSans(
  changed: readonly Changed[],
  { difference }: { readonly difference: boolean },
  terminal: Terminal,
): void {
  warnOfNameless(changed, terminal);
  const faults = changed.flatMap(({ sans }) => sans?.faults ?? []);
  for (const line of new Set(faults.map((fault) => fault.oneLine))) {
    terminal.warning(`${line}; whether it uses what is removed is not known`);
  }
  for (const { spec, sans } of changed) {
    if (sans === undefined) continue;
    for (const sentence of sans.stillUsed) terminal.warning(`${spec.name}: ${sentence}`);
    noteUnneeded(spec.name, sans, terminal);
    if (difference) terminal.note(`${spec.name}: ${sanDifference(sans.edit)}`);
  }
}

/** Says of what stays as it is which names are there, or not there, already. */
export function noteSameSans(plan: readonly (PlannedRenewal | PlannedRequest)[], terminal: Terminal): void {
  for (const planned of plan) {
    if (planned.status === 'same-sans') noteUnneeded(planned.spec.name, planned.sans, terminal);
  }
}

function noteUnneeded(certificate: string, { alreadyThere, notThere }: SanChange, terminal: Terminal): void {
  for (const name of alreadyThere) terminal.note(`${certificate}: ${name} is among the SANs already`);
  for (const name of notThere) terminal.note(`${certificate}: ${name} is not among the SANs`);
}

function warnOfNameless(changed: readonly Changed[], terminal: Terminal): void {
  const nameless = changed.flatMap((one) => (one.nameless ? [one.spec.name] : []));
  for (const name of nameless) {
    terminal.warning(
      `${name}: there is no DNS name or IP address among its SANs, and no Kubernetes client accepts a server without (Go 1.15 and later); the new one has none either`,
    );
  }
  if (nameless.length === 0) return;
  terminal.hint(
    "give it the names of the node's configuration: --sans-from-config with --config, or others: --add-san",
  );
}
