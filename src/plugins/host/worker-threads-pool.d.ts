// The package brings no types. What is used of it.
declare module 'worker-threads-pool' {
  import type { Worker, WorkerOptions } from 'node:worker_threads';

  class Pool {
    constructor(options: { readonly max: number; readonly maxWaiting?: number });
    readonly size: number;
    acquire(file: string, options: WorkerOptions, done: (error: Error | null, worker: Worker) => void): void;
  }
  export = Pool;
}
