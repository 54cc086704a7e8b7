import type { Component } from '../catalog/catalog.ts';
import { KubepkiError } from '../errors/error.ts';
import { readInventory } from '../inventory/inventory.ts';
import { readIssuers } from '../inventory/issuers.ts';
import { readKeyTargets } from '../inventory/key-targets.ts';
import { planRenewals, type PlannedRenewal, type Renewable } from '../operations/plan-renewal.ts';
import { changeSetOf, renew, type Renewed } from '../operations/renew.ts';
import { renewalWarnings } from '../operations/renewal-warnings.ts';
import { defaultValidityMs } from '../operations/validity.ts';
import { verifyRenewed } from '../operations/verify-renewal.ts';
import { randomSerialNumber } from '../pki/issue.ts';
import { renewalLines } from '../render/renewal.ts';
import { commit } from '../storage/commit.ts';
import { confirmRenewal } from './confirm.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { generateKeys } from './generate-keys.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { refusals, renewRestHint } from './refusal.ts';
import { parseSelection, selectedSpecs, type Selection } from './select.ts';
import { noteChanged } from './signals.ts';
import type { Terminal } from './terminal.ts';

export async function renewCertificates(
  names: readonly string[],
  options: NodeOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = parseSelection(names);
  const plan = await planRun(selection, options, terminal);
  const errors = refusals(plan);
  if (errors.length > 0) {
    for (const error of errors) terminal.error(error);
    terminal.hint(renewRestHint(plan, options));
    return exitCodes.error;
  }
  const renewables = plan.flatMap((planned) => (planned.status === 'renewable' ? [planned.renewable] : []));
  for (const warning of renewalWarnings(renewables)) terminal.warning(warning);
  if (selection.kind === 'all' && selection.confirm && terminal.interactive && renewables.length > 0) {
    await confirmRenewal(renewables, new Date());
  }
  writeRenewed(await renewAll(renewables, terminal));
  if (renewables.length > 0) noteChanged();
  report(plan, selection, terminal);
  return selection.kind === 'named' && plan.some(({ status }) => status !== 'renewable')
    ? exitCodes.notRenewed
    : exitCodes.done;
}

async function planRun(
  selection: Selection,
  options: NodeOptions,
  terminal: Terminal,
): Promise<PlannedRenewal[]> {
  const now = new Date();
  const { layout, config } = await openNode(options, terminal);
  const inventory = readInventory(layout, config?.etcd ?? 'stacked');
  const specs = selectedSpecs(selection, inventory);
  return planRenewals(inventory, specs, {
    now,
    validityMs: config?.certificateValidityMs ?? defaultValidityMs,
    encryptionAlgorithm: config?.encryptionAlgorithm,
    issuers: readIssuers(inventory, new Set(specs.map(({ caName }) => caName)), now),
    keyTargets: readKeyTargets(inventory),
  });
}

async function renewAll(renewables: readonly Renewable[], terminal: Terminal): Promise<Renewed[]> {
  const keys = await generateKeys(
    renewables.map(({ keyAlgorithm }) => keyAlgorithm),
    terminal,
  );
  return renewables.map((renewable, index) => {
    const privateKey = keys[index];
    if (privateKey === undefined) throw new TypeError('fewer keys than certificates');
    return renew(renewable, { privateKey, serialNumber: randomSerialNumber() });
  });
}

function writeRenewed(renewed: readonly Renewed[]): void {
  commit(changeSetOf(renewed), (readBack) => {
    for (const one of renewed) verifyRenewed(one, readBack);
  });
}

function report(plan: readonly PlannedRenewal[], selection: Selection, terminal: Terminal): void {
  const outcomes = plan.map((planned) => {
    switch (planned.status) {
      case 'renewable':
        return { status: 'renewed' as const, longName: planned.spec.longName };
      case 'missing':
        return { status: 'missing' as const, longName: planned.spec.longName };
      case 'external-ca':
        return {
          status: 'external-ca' as const,
          longName: planned.spec.longName,
          caBaseName: planned.caBaseName,
        };
      case 'refused':
        throw new KubepkiError('verification', 'a refused renewal was reported as done');
    }
  });
  const someRenewed = plan.some(({ status }) => status === 'renewable');
  terminal.result(renewalLines(outcomes, { closing: selection.kind === 'all' && someRenewed }));
  if (selection.kind === 'named') noteRestarts(plan, terminal);
}

/** kubeadm says what to restart only after `all`. */
function noteRestarts(plan: readonly PlannedRenewal[], terminal: Terminal): void {
  const components = new Set<Component>(
    plan.flatMap(({ status, spec }) => (status === 'renewable' ? spec.components : [])),
  );
  if (components.size > 0) {
    terminal.note(`restart ${[...components].join(', ')} to use the new certificates`);
  }
}
