// `node uplink-process.ts mqtt://…`: an uplink in a process of its own, for tests that kill it.
import { startTestUplink } from '../support/test-uplink.ts';

const [url = ''] = process.argv.slice(2);
startTestUplink({ after: () => undefined }, { url });
