// The version is stated once, in package.json; the bundle carries it.
import packageJson from '../../package.json' with { type: 'json' };

export const productVersion: string = packageJson.version;
