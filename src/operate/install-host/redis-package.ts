/** os-release ID or ID_LIKE -> the command that installs Redis or its successor Valkey there. */
const commands: Readonly<Record<string, string>> = {
  debian: 'apt-get install redis-server',
  ubuntu: 'apt-get install redis-server',
  fedora: 'dnf install valkey',
  rhel: 'dnf install redis',
  centos: 'dnf install redis',
  suse: 'zypper install redis',
  opensuse: 'zypper install redis',
  arch: 'pacman -S valkey',
};

export function redisPackage(distributions: readonly string[]): string {
  const known = distributions.find((name) => Object.hasOwn(commands, name));
  return known === undefined
    ? 'install the package redis, redis-server or valkey'
    : `run \`${commands[known]}\``;
}
