export interface Appliance {
  stop(why: string): Promise<void>;
}
