/** An opened disk, as the executors see it. Buffers and positions are whole blocks; failures are FlashErrors. */
export interface Medium {
  readonly path: string;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  /** Writes all of it, or rejects. */
  write(bytes: Buffer, position: number): Promise<void>;
  /** Fills the buffer from the medium itself, not from memory of what was written. */
  read(into: Buffer, position: number): Promise<void>;
  /** Resolves when the medium says that it has stored everything. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
