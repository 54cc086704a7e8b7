/** A real Prometheus that knows what it is given, at any moment. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import type { Sample } from '../../support/metrics.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { temporaryDirectory } from '../../support/tree.ts';

export interface Scrape {
  /** In seconds since 1970. */
  readonly time: number;
  readonly samples: readonly Sample[];
}

export interface Prometheus {
  /** @returns the series of a vector */
  query(expr: string, time: number): Promise<readonly unknown[]>;
}

/** It scrapes nothing: what it knows is in its blocks, some of it in the future. */
export async function startPrometheus(
  t: TestContext,
  scrapes: readonly Scrape[],
): Promise<Prometheus | undefined> {
  const [promtool, server] = [judge(t, 'promtool'), judge(t, 'prometheus')];
  if (promtool === undefined || server === undefined) return undefined;
  const directory = temporaryDirectory(t);
  const [metrics, data, config] = ['metrics.txt', 'data', 'prometheus.yml'].map((name) =>
    join(directory, name),
  );
  assert.ok(metrics !== undefined && data !== undefined && config !== undefined);
  mkdirSync(data);
  writeFileSync(metrics, openMetrics(scrapes));
  writeFileSync(config, '{}\n');
  const made = spawnSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', metrics, data], {
    encoding: 'utf8',
  });
  assert.equal(made.status, 0, made.stderr);
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${String(port)}`;
  const child = spawn(
    server,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=10y',
      `--web.listen-address=${address}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const ask = async (path: string): Promise<Response | undefined> =>
    fetch(`http://${address}${path}`).catch(() => undefined);
  await until(async () => ((await ask('/-/ready'))?.ok === true ? true : undefined), {
    deadlineMs: 60_000,
    otherwise: () => said,
  });
  return {
    query: async (expr, time) => {
      const words = new URLSearchParams({ query: expr, time: String(time) });
      const answer = await ask(`/api/v1/query?${words.toString()}`);
      assert.ok(answer !== undefined, said);
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      const { data: found } = JSON.parse(text) as {
        readonly data: { readonly resultType: string; readonly result: readonly unknown[] };
      };
      assert.equal(found.resultType, 'vector', expr);
      return found.result;
    },
  };
}

/** All samples of a name stand together. */
function openMetrics(scrapes: readonly Scrape[]): string {
  const names = new Set(scrapes.flatMap(({ samples }) => samples.map(({ name }) => name)));
  const lines = [...names].flatMap((name) => [
    `# TYPE ${name} gauge`,
    ...scrapes.flatMap(({ time, samples }) =>
      samples
        .filter((one) => one.name === name)
        .map(({ labels, value }) => {
          const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
          return `${name}{${pairs.join(',')}} ${String(value)} ${String(time)}`;
        }),
    ),
  ]);
  return `${[...lines, '# EOF'].join('\n')}\n`;
}
