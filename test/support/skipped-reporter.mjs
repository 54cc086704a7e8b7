/** A reporter for node's test runner: one line for each test that was skipped or is to do, with its reason. */
export default async function* skippedReporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const reason = data.skip ?? data.todo;
    // Not skipped but not asked for.
    if (reason === undefined || reason === 'test name does not match pattern') continue;
    yield `${data.name}${typeof reason === 'string' ? `: ${reason}` : ''}\n`;
  }
}
