// Everything that can be asked for, in one list.
import type { Access } from '../access/access.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { taggedAnswer } from '../answer.ts';
import type { StatusOptions } from '../status-options.ts';
import { accessOperations } from './access-operations.ts';
import { machineOperations } from './machine-operations.ts';
import { toOpenApi } from './openapi.ts';
import type { Operation } from './operation.ts';
import { ownAccountOperations } from './own-account-operations.ts';
import { pluginOperations } from './plugin-operations.ts';
import { readOperations } from './read-operations.ts';
import type { Stamp } from './stamp.ts';
import { trustOperations } from './trust-operations.ts';

export function makeOperations(
  options: StatusOptions,
  parts: {
    readonly access: Access;
    readonly audit: AuditLog;
    readonly stamp: () => Stamp;
    readonly devicesAnswer: () => Readonly<Record<string, unknown>>;
  },
): readonly Operation[] {
  const { access, audit, devicesAnswer, stamp } = parts;
  const { appliance, clock, config, control, devices } = options;
  const operations: Operation[] = [
    ...readOperations(options, stamp, devicesAnswer),
    ...accessOperations({
      ...{ access, audit, stamp },
      now: () => new Date(clock.now().wallMs).toISOString(),
      publicReads: config.public,
    }),
    ...ownAccountOperations({ access, appliance: appliance.name }),
    ...pluginOperations({ plugins: control.plugins, stamp }),
    ...trustOperations({ trust: control.trust, stamp }),
    ...machineOperations({ control, devices, stamp, applianceName: appliance.name }),
    {
      method: 'GET',
      path: '/api/v1/openapi.json',
      summary: 'This document',
      role: 'public',
      answers: { 200: 'application/json' },
      run: () => taggedAnswer(toOpenApi(operations, options.version)),
    },
  ];
  return operations;
}
