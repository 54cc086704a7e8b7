import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { judge } from '../../support/judge.ts';
import type { Sample } from '../../support/metrics.ts';
import { observedNodes, samplesOfNodes } from './observed-nodes.ts';
import { startPrometheus } from './prometheus.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly datasource: unknown;
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: unknown;
  }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly panels: readonly Panel[];
}

const contrib = fileURLToPath(new URL('../../../contrib/prometheus/', import.meta.url));
const dashboard = JSON.parse(readFileSync(join(contrib, 'grafana-dashboard.json'), 'utf8')) as Dashboard;
const rules = (
  parse(readFileSync(join(contrib, 'kubepki.rules.yml'), 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  }
).groups.flatMap((group) => group.rules);

const targets = dashboard.panels.flatMap((panel) => panel.targets);

const day = 86_400;
/** When each alert is due, in days after the nodes were looked at. */
const due: Readonly<Record<string, number>> = {
  X509CertificateExpiring: 0,
  X509CertificateExpiringCritical: 0,
  X509CertificateExpired: 0,
  X509AuthorityEnding: 0,
  X509CertificateWrong: 0,
  X509ReadErrors: 0,
  X509MetricsGone: 8,
  X509MetricsAbsent: -1,
  KubepkiRenewalNotRun: 8,
  KubepkiRenewalFailed: 0,
  KubepkiRestartPending: 0,
  KubepkiRenewalNotSucceeding: 8,
};

for (const [words, says] of [
  [['check', 'rules', 'kubepki.rules.yml'], /SUCCESS: 12 rules found/],
  [['test', 'rules', 'kubepki.rules.test.yml'], /SUCCESS/],
] as const) {
  test(`promtool ${words.join(' ')}`, (t) => {
    const promtool = judge(t, 'promtool');
    if (promtool === undefined) return;
    const { status, stdout, stderr } = spawnSync(promtool, words, { cwd: contrib, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, says);
    assert.doesNotMatch(stdout + stderr, /FAILED/);
  });
}

test('by what nodes say', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const samples = samplesOfNodes(await observedNodes(t));
  const goes = ({ labels }: Sample): boolean => labels['instance'] === 'cp-3';
  const prometheus = await startPrometheus(t, [
    { time: now, samples },
    { time: now + 7 * day, samples: samples.filter(goes) },
    { time: now + 8 * day, samples: samples.filter((one) => !goes(one)) },
  ]);
  if (prometheus === undefined) return;
  await t.test('each alert is due', async () => {
    assert.deepEqual(rules.map(({ alert }) => alert).sort(), Object.keys(due).sort());
    for (const { alert, expr } of rules) {
      const found = await prometheus.query(expr, now + (due[alert] ?? 0) * day);
      assert.notEqual(found.length, 0, alert);
    }
  });
  await t.test('each panel has something to show', async () => {
    for (const { expr } of targets) {
      // What stands for nothing would hide that nothing is found.
      const wanted = chosen(expr).replace(/ or vector\(0\)$/, '');
      assert.notEqual((await prometheus.query(wanted, now)).length, 0, expr);
    }
  });
  await t.test('each name and label is in what nodes say', () => {
    const names = new Set(samples.map(({ name }) => name));
    const labels = new Set(samples.flatMap((one) => Object.keys(one.labels)));
    // Of x509-certificate-exporter alone.
    labels.add('secret_name');
    const queries = dashboard.templating.list.flatMap(({ definition }) =>
      definition === undefined
        ? []
        : [definition.replace(/^label_values\((.*), (\w+)\)$/, 'max by ($2) ($1)')],
    );
    for (const expr of [...[...rules, ...targets].map((one) => one.expr), ...queries]) {
      const used = usedIn(expr);
      assert.notEqual(used.names.length, 0, expr);
      for (const name of used.names) assert.ok(names.has(name), `${name}: ${expr}`);
      for (const label of used.labels) assert.ok(labels.has(label), `${label}: ${expr}`);
    }
    const named = [
      ...rules.flatMap(({ annotations }) =>
        Object.values(annotations).flatMap((text) => [...text.matchAll(/\$labels\.(\w+)/g)]),
      ),
      ...targets.flatMap(({ legendFormat }) => [...legendFormat.matchAll(/\{\{\s*(\w+)/g)]),
    ];
    for (const [text, label = ''] of named) assert.ok(labels.has(label), text);
  });
});

test('the dashboard asks the source that is chosen, and its panels do not overlap', () => {
  // Grafana 12's; Grafana 11 reads it too.
  assert.equal(dashboard.schemaVersion, 41);
  for (const field of ['id', 'uid', '__inputs']) assert.ok(!(field in dashboard), field);
  assert.deepEqual(
    dashboard.templating.list.map(({ name, type }) => [name, type]),
    [
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ],
  );
  const asked = { type: 'prometheus', uid: '${datasource}' };
  const cells = new Set<string>();
  for (const { datasource, targets: own, gridPos: at } of dashboard.panels) {
    for (const one of [datasource, ...own.map((target) => target.datasource)]) assert.deepEqual(one, asked);
    assert.ok(at.x + at.w <= 24);
    for (let x = at.x; x < at.x + at.w; x += 1)
      for (let y = at.y; y < at.y + at.h; y += 1) {
        assert.ok(!cells.has(`${String(x)} ${String(y)}`));
        cells.add(`${String(x)} ${String(y)}`);
      }
  }
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

/** As Grafana asks with all of each variable. */
function chosen(expr: string): string {
  return expr.replaceAll(/\$(?:job|instance)\b/g, '.*');
}

const words = new Set(['by', 'on', 'unless', 'and', 'or', 'offset']);

/** The names of metrics and labels in an expression. */
function usedIn(expr: string): { readonly names: readonly string[]; readonly labels: readonly string[] } {
  const plain = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const matchers = [...plain.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  );
  const lists = [...plain.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, inside = '']) =>
    inside.split(/,\s*/),
  );
  const rest = plain.replaceAll(/\{[^}]*\}/g, '').replaceAll(/\b(?:by|on)\s*\([^)]*\)/g, '');
  const names = [...rest.matchAll(/(?<![\w.])[a-z_][\w:]*\b(?!\s*\()/gi)].map(([name]) => name);
  return { names: names.filter((name) => !words.has(name)), labels: [...matchers, ...lists] };
}
