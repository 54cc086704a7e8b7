/** Runs files of tests in the order in which they are given, where `node --test` sorts them: how many at once, milliseconds for each, files. */
import { run } from 'node:test';
import reporter from './support/reporter.mjs';

const [concurrency, timeout, ...files] = process.argv.slice(2);
run({ files, concurrency: Number(concurrency), timeout: Number(timeout) })
  .compose(reporter)
  .pipe(process.stdout);
