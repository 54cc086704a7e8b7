/**
 * Runs files of tests in the order in which they are given, where `node --test` sorts them. Its argument is what `run` of node:test takes
 * (https://nodejs.org/api/test.html#runoptions), as JSON.
 */
import { run } from 'node:test';
import reporter from './support/reporter.mjs';

run(JSON.parse(process.argv[2])).compose(reporter).pipe(process.stdout);
