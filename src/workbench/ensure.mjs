// `npm start`, `npm test`: from a fresh clone and whatever Node is at hand to the task running on Node 24.
// Old syntax only, so that an old Node reaches the sentence that says it is too old.
const major = Number(process.versions.node.split('.')[0]);
if (major < 18) {
  console.error(
    `ensure: this is Node ${process.version}, and setting up needs 18 or newer; install one, for example the package "nodejs" of a current distribution`,
  );
  process.exitCode = 1;
} else {
  import('./ensure-task.mjs').then(({ ensureTask }) => ensureTask(process.argv[2], process.argv.slice(3)));
}
