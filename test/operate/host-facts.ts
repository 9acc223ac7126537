// A host as the planners see it: everything is there, nothing is installed.
import type { HostFacts } from '../../src/operate/install-host/host-facts.ts';

export const goodHost: HostFacts = {
  uid: 0,
  offline: false,
  hasSystemd: true,
  hasRedis: true,
  hasKernelLog: true,
  distributions: ['debian'],
  nodes: [{ ok: true, path: '/usr/bin/node' }],
  bundle: new TextEncoder().encode('// the bundle'),
  manifest: null,
  present: new Map(
    ['/etc', '/usr', '/usr/local', '/usr/local/bin', '/usr/local/lib', '/var', '/var/lib'].map((folder) => [
      folder,
      { digest: 'folder', mode: 0o755 },
    ]),
  ),
  users: new Set(['root']),
};
