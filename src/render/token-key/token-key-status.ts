import type { TokenApiServer, TokenCluster } from '../../operations/token-key/cluster.ts';
import type { KeyUse, NextStage, UsedKey } from '../../operations/token-key/progress.ts';
import type { TokenKeyState } from '../../operations/token-key/state.ts';
import type { Asked } from '../../operations/verification/cluster/cluster.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { printableLines } from '../printable.ts';
import { kubectlTable } from '../tab-writer.ts';

/** Where a replacement of the service-account key is, as this node and its cluster say. No key and no token is in it. */
export interface TokenKeyStatus {
  readonly stage: TokenKeyState['stage'];
  readonly keys: readonly UsedKey[];
  /** undefined: it was not asked. */
  readonly cluster: TokenCluster | undefined;
  readonly next: NextStage;
  readonly steps: readonly string[];
}

/** The short form: where it is, and what is next. */
export function progressText({ stage, next, steps }: TokenKeyStatus): string {
  return printableLines([
    `stage: ${stage}`,
    ...(next.conditions.length === 0 ? [] : [`before ${next.stage}:`]),
    ...next.conditions.map(({ name, state, says }) => `  ${state.padEnd(8)}${name}: ${says}`),
    'next:',
    ...steps.map((step) => `  ${step}`),
  ]);
}

export function statusText(status: TokenKeyStatus): string {
  const { keys, cluster } = status;
  const useOf = useIn(keys);
  const tables = [
    kubectlTable([
      ['KEY', 'USE', 'SA.PUB', 'SECRETS'],
      ...keys.map(({ id, use, position }) => [id, use, text(position), text(secretsOf(cluster, id))]),
    ]),
    ...serverTables(cluster, useOf),
    ...secretTables(cluster, keys),
  ];
  return [...tables, progressText(status)].join('\n');
}

function serverTables(cluster: TokenCluster | undefined, useOf: (id: string) => string): string[] {
  if (cluster?.apiServers.status !== 'answered') return [];
  const rows = cluster.apiServers.value.map(({ host, port, known, signing, metrics }) => [
    addressText(host, port),
    known.status === 'answered' ? known.value.map(useOf).join(', ') : '?',
    signing.status === 'answered' ? useOf(signing.value) : '?',
    metrics.status === 'answered' ? text(metrics.value.startedAt && seconds(metrics.value.startedAt)) : '?',
    metrics.status === 'answered' ? text(metrics.value.staleTokens) : '?',
  ]);
  return [kubectlTable([['API SERVER', 'KNOWS', 'SIGNS WITH', 'SINCE', 'STALE TOKENS'], ...rows])];
}

/** Of the key that signs there may be any number, and nobody has to do anything about them. */
function secretTables(cluster: TokenCluster | undefined, keys: readonly UsedKey[]): string[] {
  if (cluster?.secrets.status !== 'answered') return [];
  const useOf = useIn(keys);
  const rows = cluster.secrets.value
    .filter(({ keyId }) => keyId !== undefined && useOf(keyId) !== 'signs')
    .map(({ namespace, name, keyId }) => [namespace, name, keyId === undefined ? '?' : useOf(keyId)]);
  return rows.length === 0 ? [] : [kubectlTable([['NAMESPACE', 'SECRET', 'TOKEN OF KEY'], ...rows])];
}

/** @returns the use of a key; of one that this node does not know, its id */
function useIn(keys: readonly UsedKey[]): (id: string) => string {
  const uses = new Map<string, KeyUse>(keys.map(({ id, use }) => [id, use]));
  return (id) => uses.get(id) ?? id;
}

export function statusDocument(status: TokenKeyStatus, format: DocumentFormat): string {
  const { stage, keys, cluster, next, steps } = status;
  const secrets = cluster === undefined ? undefined : valueOf(cluster.secrets);
  const managers = cluster === undefined ? undefined : valueOf(cluster.controllerManagers);
  const servers = cluster === undefined ? undefined : valueOf(cluster.apiServers);
  return renderDocument(
    'TokenKeyStatus',
    {
      stage,
      keys: keys.map(({ id, use, position }) => ({
        ...{ id, use, position: position ?? null },
        secrets: secretsOf(cluster, id) ?? null,
      })),
      apiServers: servers?.map(serverDocument) ?? null,
      controllerManagers:
        managers?.map(({ node, startedAt, apiServerStartedAt }) => ({
          node,
          startedAt: startedAt === undefined ? null : seconds(startedAt),
          apiServerStartedAt: apiServerStartedAt === undefined ? null : seconds(apiServerStartedAt),
        })) ?? null,
      secrets:
        secrets?.map(({ namespace, name, keyId }) => ({ namespace, name, keyId: keyId ?? null })) ?? null,
      next: {
        stage: next.stage,
        conditions: next.conditions.map(({ name, state, says, hint }) => ({
          ...{ name, state, says },
          hint: hint ?? null,
        })),
        steps,
      },
    },
    format,
  );
}

function serverDocument({ host, port, known, signing, metrics }: TokenApiServer): object {
  const { startedAt, staleTokens } = valueOf(metrics) ?? {};
  return {
    address: addressText(host, port),
    knows: valueOf(known) ?? null,
    signsWith: valueOf(signing) ?? null,
    startedAt: startedAt === undefined ? null : seconds(startedAt),
    staleTokens: staleTokens ?? null,
  };
}

function secretsOf(cluster: TokenCluster | undefined, id: string): number | undefined {
  return cluster === undefined
    ? undefined
    : valueOf(cluster.secrets)?.filter(({ keyId }) => keyId === id).length;
}

function valueOf<T>(asked: Asked<T>): T | undefined {
  return asked.status === 'answered' ? asked.value : undefined;
}

function text(value: string | number | undefined): string {
  return value === undefined ? '-' : String(value);
}

/** RFC 3339, UTC, whole seconds. */
function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+/, '');
}

function addressText(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
