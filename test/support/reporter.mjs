/**
 * The reporter of `npm test`: each failure as it happens, and at the end what the files that failed have printed, what was
 * skipped and why, and a closing line `N passed, N failed, N skipped`. On a terminal a line shows how far it is.
 */
import { relative } from 'node:path';
import { inspect, stripVTControlCharacters } from 'node:util';

const { stdout, env } = process;
const isLong = env.FAULTS === 'all' || env.FUZZ !== undefined;

export default async function* reporter(events) {
  const files = new Map();
  const skips = new Map();
  const failures = [];
  let [queued, begun, passed] = [0, 0, 0];
  const progress = (file) =>
    stdout.isTTY
      ? fitted(`${begun}/${queued} files, ${passed} passed, ${failures.length} failed: ${relativePath(file)}`)
      : '';

  for await (const { type, data } of events) {
    const isFile = data.name !== undefined && data.name === data.file;
    const file = fileOf(files, data.file);
    if (type === 'test:enqueue' && isFile) queued += 1;
    if (type === 'test:dequeue' && isFile) {
      begun += 1;
      yield progress(data.file);
    }
    if (type === 'test:stdout' || type === 'test:stderr') file.said += data.message;
    // The long suites say how much they have tried; the runner's own, which have no file, are said at the end.
    if (type === 'test:diagnostic' && isLong && data.file !== undefined) {
      yield `${clearLine()}${relativePath(data.file)}: ${data.message}\n`;
    }
    if (type === 'test:start') file.path.splice(data.nesting, Infinity, data.name);
    if (type === 'test:dequeue' && !isFile) file.running.set(keyOf(data), data.name);
    if (type === 'test:complete') file.running.delete(keyOf(data));
    if (type !== 'test:pass' && type !== 'test:fail') continue;

    const error = data.details.error;
    // Its own tests are counted.
    if (data.details.type === 'suite' && error === undefined) continue;
    if (error?.failureType === 'subtestsFailed') continue;
    const reason = data.skip ?? data.todo;
    if (reason !== undefined) {
      // A test that was not asked for was not skipped.
      if (reason !== 'test name does not match pattern') {
        const said =
          typeof reason === 'string' && reason !== '' ? reason : `no reason is given (${data.name})`;
        skips.set(said, (skips.get(said) ?? 0) + 1);
      }
    } else if (error !== undefined || isFile) {
      // A file that passes is only reported when no test was in it, and then it has tried nothing.
      const failure = isFile ? fileFailure(data, error, file) : testFailure(data, error, file);
      failures.push(failure.title);
      file.failed = true;
      yield `${clearLine()}\nFAILED ${failure.title}\n${indented(failure.reason)}\n`;
    } else {
      passed += 1;
    }
    yield progress(data.file);
  }

  yield clearLine();
  for (const [path, { said, failed }] of files) {
    if (failed && said !== '') yield `\n${relativePath(path)} printed\n${indented(said.trimEnd())}\n`;
  }
  if (failures.length > 0) yield `\n${failures.map((title) => `FAILED ${title}\n`).join('')}`;
  const skipped = [...skips.values()].reduce((sum, count) => sum + count, 0);
  if (skipped > 0) yield '\n';
  for (const [reason, count] of skips) yield `skipped ${String(count)}: ${reason}\n`;
  if (skipped > 0 && env.CI) {
    yield 'nothing may be skipped here (CI is set)\n';
    process.exitCode = 1;
  }
  if (failures.length > 0) process.exitCode = 1;
  yield `\n${passed} passed, ${failures.length} failed, ${skipped} skipped\n`;
}

function fileOf(files, path) {
  if (!files.has(path)) files.set(path, { said: '', failed: false, tests: 0, path: [], running: new Map() });
  return files.get(path);
}

function keyOf({ line, column, name }) {
  return `${line}:${column} ${name}`;
}

function testFailure({ name, nesting, file, line }, error, { path }) {
  const title = [...path.slice(0, nesting), name].join(' > ');
  return { title: `${relativePath(file)}:${line} ${title}`, reason: reasonOf(error) };
}

/** The process of the file has ended badly, whatever its tests have said. */
function fileFailure({ file }, error, { running }) {
  const title = relativePath(file);
  if (error === undefined) return { title, reason: 'there is no test in it' };
  const { failureType, exitCode, signal } = error;
  const end = signal === null || signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`;
  const what = failureType === 'testTimeoutFailure' ? error.message : `its process ended with ${end}`;
  return { title, reason: [what, ...[...running.values()].map((name) => `during: ${name}`)].join('\n') };
}

/** The message, which has the assertion's difference, and the stack without the frames of node; its causes likewise. */
function reasonOf({ cause, message }) {
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : inspect(cause ?? message);
  // The message says these, and says it better.
  for (const field of ['generatedMessage', 'actual', 'expected', 'operator', 'code']) {
    Reflect.deleteProperty(cause, field);
  }
  return inspect(cause, { colors: stdout.isTTY && !env.NO_COLOR })
    .split('\n')
    .filter((line) => !ofNode.test(stripVTControlCharacters(line)))
    .join('\n');
}

const ofNode =
  /^\s+(?:at .*(?:node:internal|node:async_hooks|\(<anonymous>\)|node_modules)|\.\.\. \d+ lines matching)/;

function relativePath(path) {
  return path === undefined ? '' : relative(process.cwd(), path);
}

function indented(text) {
  return text.replace(/^(?=.)/gm, '  ');
}

function clearLine() {
  return stdout.isTTY ? '\r\x1b[K' : '';
}

function fitted(text) {
  return `${clearLine()}${text.slice(0, (stdout.columns ?? 80) - 1)}`;
}
