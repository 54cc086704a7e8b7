/**
 * The process that watched.ts starts: `child.ts MODULE ORDER`. MODULE exports `campaigns`, ORDER is JSON. What happens
 * is told on file descriptor 3, one report in JSON on each line. Those are written synchronously: whatever the process
 * dies of, the last line names the input.
 */
import { writeSync } from 'node:fs';
import { runCampaign, type Campaign, type Order } from './campaign.ts';

const [module = '', order = ''] = process.argv.slice(2);
const { campaigns } = (await import(module)) as { campaigns: readonly Campaign[] };
for (const campaign of campaigns) {
  await runCampaign(campaign, JSON.parse(order) as Order, (report) => {
    writeSync(3, `${JSON.stringify(report)}\n`);
  });
}
