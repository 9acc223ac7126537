// Why something asked of this folder was not done. The codes are stable; src/operate/README.md explains each.
import { AppError } from '../lib/app-error.ts';

export type OperateCode =
  | 'operate.not-root'
  | 'operate.no-systemd'
  | 'operate.no-node'
  | 'operate.no-redis'
  | 'operate.not-built'
  | 'operate.changed-file'
  | 'operate.foreign-file'
  | 'operate.outside-root'
  | 'operate.not-installed'
  | 'operate.bad-manifest'
  | 'operate.step-failed'
  | 'operate.unreadable'
  | 'operate.write-failed'
  | 'operate.bad-identity'
  | 'operate.bad-certificate';

export class OperateError extends AppError<OperateCode> {}
