import { AppError } from '../lib/app-error.ts';

export type WorkbenchCode =
  | 'workbench.bad-option'
  | 'workbench.already-running'
  | 'workbench.build-failed'
  | 'workbench.not-ready'
  | 'workbench.bad-capture';

export class WorkbenchError extends AppError<WorkbenchCode> {}
